//! Vietnamese names for what the city is made of. All of it is in Unicode NFC.

use std::sync::LazyLock;

use crate::style::Use;

/// The street names of `data/street_names.txt`.
pub(crate) static STREETS: LazyLock<Vec<String>> = LazyLock::new(|| {
    include_str!("../../../data/street_names.txt")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
});

/// People and places that schools, markets and hospitals are named after.
const HONOURED: [&str; 24] = [
    "Nguyễn Bỉnh Khiêm",
    "Lê Quý Đôn",
    "Trần Hưng Đạo",
    "Nguyễn Du",
    "Chu Văn An",
    "Lương Thế Vinh",
    "Phan Bội Châu",
    "Nguyễn Trãi",
    "Lê Hồng Phong",
    "Hoàng Hoa Thám",
    "Võ Thị Sáu",
    "Trần Quốc Toản",
    "Kim Đồng",
    "Nguyễn Văn Trỗi",
    "Đinh Tiên Hoàng",
    "Ngô Quyền",
    "Bình Minh",
    "Hoa Sen",
    "Tân Bình",
    "Phú Hòa",
    "An Khánh",
    "Long Hưng",
    "Thạnh Mỹ",
    "Bình An",
];

/// The level of a school (cấp) for a roll of the dice.
pub(crate) fn school_level(word: u64) -> &'static str {
    ["Mầm non", "Tiểu học", "THCS", "THPT"][(word % 10 / 3).min(3) as usize]
}

/// A place's name for its use.
pub(crate) fn place_name(use_: Use, word: u64, commune: &str) -> Option<String> {
    let honoured = HONOURED[(word >> 8) as usize % HONOURED.len()];
    Some(match use_ {
        Use::School => format!("Trường {} {honoured}", school_level(word)),
        Use::Hospital => format!("Bệnh viện {honoured}"),
        Use::Office => format!("Ủy ban nhân dân {commune}"),
        Use::Market => format!("Chợ {honoured}"),
        Use::Park => format!("Công viên {honoured}"),
        Use::Pagoda => format!(
            "Chùa {}",
            ["Phước Hải", "Giác Lâm", "Vĩnh Nghiêm", "Long Hoa", "Pháp Bửu", "Thiên Phước"]
                [(word >> 8) as usize % 6]
        ),
        Use::Apartment => format!("Chung cư {honoured}"),
        Use::Tower => format!("Tòa nhà {honoured}"),
        _ => return None,
    })
}

/// The kind of a place (field `loai`).
pub(crate) fn place_kind(use_: Use) -> Option<&'static str> {
    Some(match use_ {
        Use::Hospital => "Bệnh viện",
        Use::Office => "Cơ quan",
        Use::Market => "Chợ",
        Use::Park => "Công viên",
        Use::Pagoda => "Cơ sở tôn giáo",
        Use::Apartment => "Chung cư",
        Use::Tower => "Cao ốc",
        _ => return None,
    })
}

/// What residents report to the 1022 hotline: the kind, and what they say.
pub(crate) const REPORTS: [(&str, &str); 10] = [
    ("Ngập nước", "Đường ngập sau mưa lớn, nước rút chậm."),
    ("Đèn đường", "Đèn chiếu sáng công cộng không sáng nhiều ngày."),
    ("Ổ gà", "Mặt đường có ổ gà sâu, nguy hiểm cho xe máy."),
    ("Rác thải", "Rác tồn đọng trên vỉa hè chưa được thu gom."),
    ("Tiếng ồn", "Hát karaoke gây ồn sau 22 giờ."),
    ("Nắp cống", "Nắp cống bị vỡ, cần thay gấp."),
    ("Cây xanh", "Cây nghiêng có nguy cơ ngã đổ."),
    ("Cấp nước", "Nước sinh hoạt yếu vào giờ cao điểm."),
    ("Lấn chiếm vỉa hè", "Vỉa hè bị lấn chiếm để buôn bán."),
    ("Xây dựng", "Công trình xây dựng rơi vãi vật liệu xuống đường."),
];

/// The states of a report (field `trang_thai`).
pub(crate) const REPORT_STATES: [&str; 4] = ["Đã tiếp nhận", "Đang xử lý", "Đã xử lý", "Đã đóng"];

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::is_nfc;

    #[test]
    fn street_names_are_many_composed_and_never_twice() {
        assert!(STREETS.len() >= 400, "{}", STREETS.len());
        let mut seen = std::collections::HashSet::new();
        for name in STREETS.iter() {
            assert!(is_nfc(name), "{name}");
            assert!(seen.insert(name), "{name} twice");
        }
        for (kind, text) in REPORTS {
            assert!(is_nfc(kind) && is_nfc(text));
        }
    }
}
