//! Which fields of a file are proposed as personal data (Law 91/2025/QH15), and why.
//!
//! A field is proposed by parts of its name ([`rules`], after [`words`] has taken the name apart) or by the
//! form of its first values ([`values`]). When in doubt a field is personal: one that is hidden by mistake is
//! shown with `--public`, one that was shown by mistake cannot be taken back. What the steward says goes
//! before the proposal, and what was personal in the record stays so.

mod labels;
mod names;
mod rules;
mod values;
mod words;

use citymap_access::{Audience, visible, was_personal};
use citymap_model::{Field, GeometryKind, Layer, Value, nearest, text::tidy_name};
use serde::{Deserialize, Serialize};

use crate::{ImportError, Request, source::SourceLayer};
use values::About;

/// A field that holds personal data, and why it is taken for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalField {
    /// The name of the field.
    pub field: String,
    /// Why: a half sentence, such as "its name says that it holds phone numbers".
    pub reason: String,
}

/// Fields that an error message proposes for one that is not there.
const NEAREST: usize = 5;

/// Why a field is personal; none if it is not. `values` are its first values. In a layer of lines (`lines`)
/// names of persons are those of streets.
fn proposed<'a>(
    field: &Field,
    values: impl Iterator<Item = &'a Value> + Clone,
    lines: bool,
) -> Option<String> {
    let other = || {
        rules::values_decide(&field.name)
            && (values::name_places(values.clone()) || values::are_codes(values.clone()))
    };
    if let Some(kind) = rules::kind_of_name(&field.name)
        && !other()
    {
        return Some(format!("its name says that it holds {}", kind.as_str()));
    }
    let about = About {
        things: rules::identifies_a_thing(&field.name),
        places: lines || rules::names_a_place(&field.name),
    };
    Some(format!("its values look like {}", values::kind_of_values(values, about)?.as_str()))
}

/// Decides for each field of a layer whether it is personal, and gives those that are with the reason.
///
/// `kind` is what geometry the source has. In this order: `--personal` and `--public`, the definition in the
/// record (`present`; what is personal there stays so), the proposal from the name and the first values
/// (`sample`, one row of values a feature).
/// Where features are added to a layer that the record has, its definition stays, and it alone decides.
pub(crate) fn decide(
    fields: &[Field],
    sample: &[Vec<Value>],
    present: Option<&Layer>,
    request: &Request,
    kind: GeometryKind,
) -> Vec<PersonalField> {
    let lines = matches!(kind, GeometryKind::Line);
    let former =
        |name: &str| request.renames.iter().find(|(_, new)| new == name).map(|(old, _)| old.as_str());
    let declared = |name: &str| {
        present.is_some_and(|layer| {
            [Some(name), former(name)].into_iter().flatten().any(|name| was_personal(layer, name))
        })
    };
    let stays = present.is_some() && request.keeps_definitions();
    let reason = |index: usize, field: &Field| {
        if request.personal.contains(&field.name) {
            return Some("asked for (--personal)".to_owned());
        }
        if request.public.contains(&field.name) {
            return None;
        }
        if declared(&field.name) {
            return Some("it is personal in the record already".to_owned());
        }
        if stays {
            return None;
        }
        let values = sample.iter().filter_map(|row| row.get(index));
        let renamed = former(&field.name).map(|old| Field { name: old.to_owned(), ..field.clone() });
        proposed(field, values.clone(), lines).or_else(|| proposed(&renamed?, values, lines))
    };
    let named = |(index, field): (usize, &Field)| {
        reason(index, field).map(|reason| PersonalField { field: field.name.clone(), reason })
    };
    fields.iter().enumerate().filter_map(named).collect()
}

/// The names under which the source has personal data that the layer will not have: fields that are left out,
/// and the former names of personal ones. They are personal when they come back.
pub(crate) fn gone(
    found: &SourceLayer,
    present: Option<&Layer>,
    request: &Request,
    personal: &[PersonalField],
) -> Vec<String> {
    let lines = matches!(found.kind, GeometryKind::Line);
    let dropped = found.fields.iter().enumerate().filter(|(index, field)| {
        let values = found.sample.iter().filter_map(|row| row.get(*index));
        request.drop_fields.contains(&tidy_name(&field.name))
            && (present.is_some_and(|layer| was_personal(layer, &tidy_name(&field.name)))
                || proposed(field, values, lines).is_some())
    });
    let renamed = request
        .renames
        .iter()
        .filter(|(_, new)| personal.iter().any(|own| own.field == *new))
        .map(|(old, _)| old);
    dropped.map(|(_, field)| tidy_name(&field.name)).chain(renamed.cloned()).collect()
}

/// Refuses to make a layer anew without personal fields that it has: an export without them that comes back,
/// most likely. A field that is renamed, or left out by its name, is no accident.
///
/// # Errors
/// [`ImportError::Usage`] with what would be lost.
pub(crate) fn refuse_loss(
    shown: &str,
    present: &Layer,
    layer: &Layer,
    request: &Request,
) -> Result<(), ImportError> {
    let is = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let lost: Vec<String> = visible(present, &Audience::Public)
        .hidden()
        .map(|(_, field)| field.name.as_str())
        .filter(|name| {
            !layer.fields.iter().any(|field| is(&field.name, name))
                && !request.drop_fields.iter().any(|dropped| is(dropped, name))
                && !request.renames.iter().any(|(old, _)| is(old, name))
        })
        .map(|name| format!("`{name}`"))
        .collect();
    if lost.is_empty() || request.allow_drop_personal {
        return Ok(());
    }
    Err(ImportError::Usage(format!(
        "{shown}: the source lacks personal fields of layer `{id}`, whose values would be lost: {}; nothing \
         was changed. An export without --personal lacks them: export it with --personal, or bring the \
         changes in with --mode upsert, which keeps them; --allow-drop-personal lets them go",
        lost.join(", "),
        id = present.id,
    )))
}

/// Refuses `--personal` and `--public` that contradict each other or name a field that no layer has.
pub(crate) fn check(request: &Request, fields: &[&str]) -> Result<(), ImportError> {
    if let Some(both) = request.personal.iter().find(|name| request.public.contains(name)) {
        return Err(ImportError::Usage(format!(
            "`{both}` is named by --personal and by --public; leave it out of one of them"
        )));
    }
    for (option, names) in [("--personal", &request.personal), ("--public", &request.public)] {
        if let Some(unknown) = names.iter().find(|name| !fields.contains(&name.as_str())) {
            let near = nearest(unknown, fields, NEAREST).join(", ");
            return Err(ImportError::Usage(format!(
                "{option}: there is no field `{unknown}`; the nearest are: {near}"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use citymap_model::FieldType;

    use super::*;

    fn is_personal(name: &str) -> bool {
        rules::kind_of_name(name).is_some()
    }

    /// As offices write them: land registers, cadastral databases, forms, GPS sheets, exports of old systems,
    /// OSM.
    const PERSONAL: &[&str] = &[
        // Owners and users.
        "tenchusdd",
        "chusd",
        "CHUSDDAT",
        "ten_chu_su_dung",
        "TenChu",
        "chu_ho",
        "ChuSoHuu",
        "Chủ sử dụng đất",
        "chu_su_dun",
        "TENCHUSUDU",
        "tenchu1",
        "Ten_Chu_SD",
        "CSD",
        "csdd",
        "NguoiSuDung",
        "nguoi_sd",
        "ten_nguoi_su_dung",
        "TenNSDD",
        "chu_nha",
        "chudat",
        "Chủ hộ",
        "chu_cu",
        "chu_moi",
        "ma_chu",
        "HoSuDung",
        "ten_ho",
        "ho_gia_dinh",
        "dong_so_huu",
        "OWNER",
        "owner_name",
        "OwnerName1",
        "LANDOWNER",
        "co_owner",
        "Tenant",
        "title_holder",
        "occupant",
        "lessee",
        // Names.
        "ho_ten",
        "HoTen",
        "HOVATEN",
        "Họ và tên",
        "Họ tên",
        "ho_va_ten_",
        "hotenchu",
        "full_name",
        "FIRSTNAME",
        "last_name",
        "ten_vo",
        "TenChong",
        "nguoi_dai_dien",
        "ben_mua",
        "nguoi_lien_he",
        "nguoi_ky",
        "ten_khach_hang",
        // Identity numbers.
        "CCCD",
        "socccd",
        "so_cmnd",
        "CMND_CCCD",
        "cmt",
        "SoCMT",
        "can_cuoc",
        "SoCanCuoc",
        "Số căn cước",
        "chung_minh_nhan_dan",
        "ho_chieu",
        "SoHoChieu",
        "so_dinh_danh",
        "ma_dinh_danh",
        "SoDinhDanhCaNhan",
        "so_giay_to",
        "SOGIAYTO",
        "giay_to_tuy_than",
        "so_giay_to_phap_ly",
        "passport_no",
        "national_id",
        "id_card",
        "so_dinh_da",
        // Certificates.
        "sogcn",
        "SoGCN",
        "so_gcn_qsdd",
        "GCNQSDD",
        "so_vao_so",
        "so_phat_hanh",
        // Phones and other ways to reach somebody.
        "sdt",
        "SĐT",
        "so_dt",
        "SoDT",
        "dien_thoai",
        "SODIENTHOAI",
        "Điện thoại",
        "so_dien_thoai_chu",
        "sdtchu",
        "so_dien_th",
        "DTDD",
        "di_dong",
        "phone",
        "contact:phone",
        "Phone_Number",
        "mobile",
        "tel",
        "fax",
        "contact",
        "thong_tin_lien_he",
        "zalo",
        // Birth and the like.
        "ngay_sinh",
        "NgaySinh",
        "namsinh",
        "NAM_SINH",
        "Năm sinh",
        "ngaythangnamsinh",
        "noi_sinh",
        "date_of_birth",
        "DOB",
        "birth_year",
        "nam_sinh_vo",
        "gioi_tinh",
        "DanToc",
        "quoc_tich",
        "que_quan",
        // E-mail, homes, taxes, accounts.
        "email",
        "E-mail",
        "contact:email",
        "hop_thu",
        "diachichu",
        "DiaChiChu",
        "dia_chi_chu",
        "dc_chu",
        "dia_chi_thuong_tru",
        "DiaChiThuongTru",
        "noi_thuong_tru",
        "ho_khau",
        "dia_chi_lien_he",
        "noi_o",
        "mst",
        "MaSoThue",
        "ma_so_thue",
        "tax_code",
        "TaxID",
        "so_tai_khoan",
        "stk",
        // Abbreviations, older forms, names cut off after ten letters, English ones.
        "Ng.sử dụng",
        "Ng.SDĐ",
        "NG_SU_DUNG",
        "Hộ",
        "HO",
        "Đứng tên",
        "DUNGTEN",
        "DOITUONG",
        "Đối tượng",
        "QSDD",
        "QSDĐ",
        "Số sổ",
        "SOSO",
        "Số GCN",
        "Số vào sổ",
        "SOVAOSO",
        "Người kê khai",
        "NGUOIKEKHA",
        "Người kê k",
        "Chủ cũ",
        "Chủ sử dụn",
        "Chu\u{309} cu\u{303}",
        "N.S.D.D",
        "Đ.Thoại",
        "H.tên",
        "CM.ND",
        "Ông/Bà",
        "giay_cnqsdd",
        "bên bán",
        "head_of_household",
        "certificate_no",
        "declarant",
        "spouse_name",
    ];

    const HARMLESS: &[&str] = &[
        // Beginnings that look like `chu` and its neighbours.
        "chuc_nang",
        "machucnang",
        "CHUCNANG",
        "chuc_nang_su_dung",
        "chu_vi",
        "ChuVi",
        "chung_cu",
        "TenChungCu",
        "nhachungcu",
        "chuyen_dung",
        "DatChuyenDung",
        "chuan",
        "tieu_chuan",
        "quychuan",
        "chu_thich",
        "ghi_chu",
        "GHICHU",
        "Ghi chú",
        "chu_de",
        "chu_ky",
        "chu_dau_tu",
        "ChuDauTu",
        "chua",
        "ten_chua",
        "ho_chua",
        "ten_ho_chua",
        "Tên hồ",
        "ten_ho_ga",
        "chu_dan",
        "to_chuc",
        "ten_to_chuc",
        "loai_chu_su_dung",
        "chuong",
        // Parcels, uses, places.
        "so_to",
        "SoThua",
        "ma_so_thua",
        "so_hieu_to_ban_do",
        "dien_tich",
        "dt_thua",
        "DT_PL",
        "ma_dinh_danh_thua",
        "MaDinhDanhThuaDat",
        "muc_dich_su_dung",
        "ten_muc_dich_su_dung",
        "hien_trang_su_dung",
        "loai_dat",
        "doi_tuong_su_dung",
        "nguon_goc_su_dung",
        "thoi_han_su_dung",
        "hinh_thuc_so_huu",
        "dia_chi",
        "dia_chi_thua",
        "so_nha",
        "ten_duong",
        "ten",
        "namevi",
        "name",
        "name:en",
        "int_name",
        "old_name",
        "ten_xa",
        "TenPhuong",
        "dan_so",
        "mat_do",
        "mat_do_nguoi",
        "so_nguoi",
        "so_ho",
        "ho_so",
        "so_ho_so",
        "ten_ho_so",
        "so_quyet_dinh",
        "ngay_cap_nhat",
        "nam_xay_dung",
        "NgayCap",
        "nam_hoan_thanh",
        "ngay_hieu_luc",
        "dien_tich_gcn",
        "da_cap_gcn",
        "tinh_trang_gcn",
        "dien_ap",
        "duong_day",
        "cap_dien_thoai",
        "tram_dien_thoai",
        "thong_tin_lien_lac",
        "ve_sinh",
        "NhaVeSinh",
        "sinh_thai",
        "nam_sinh_thai",
        "so_hoc_sinh",
        "loi_nguoi_di_bo",
        "co_so_ton_giao",
        "cho_thue",
        "gia_thue",
        "don_vi",
        "co_quan",
        // English and OSM.
        "owner_type",
        "ownership",
        "phone_booth",
        "emergency_phone",
        "communication:mobile_phone",
        "residential",
        "hotel",
        "capacity:persons",
        "place_holder",
        "operator",
        "building:levels",
        "addr:housenumber",
        "addr:street",
        "land_use",
        "landuse",
        "website",
        "tax_map",
        "taxi",
        "religion",
        "start_date",
        "height",
        "surface",
        "tower:type",
        "power",
        "school",
        "mailbox",
        "ten_phuong",
        "ten_truong",
        "Tên đường",
        "TENDUONG",
        "ten_cong_trinh",
        "loai_ho",
        "so_so_do",
        "Số hộ",
        "dt_qsdd",
        "ngay_ky",
        "Sơ đồ",
        "book",
        "title",
        "so_tang",
        "ngan_hang",
        "park_name",
    ];

    #[test]
    fn names_of_owners_papers_phones_and_births_are_personal() {
        let missed: Vec<&str> = PERSONAL.iter().copied().filter(|name| !is_personal(name)).collect();
        assert!(missed.is_empty(), "not proposed as personal: {missed:?}");
        assert!(PERSONAL.len() >= 40);
    }

    #[test]
    fn harmless_names_are_not() {
        let hidden: Vec<&str> = HARMLESS.iter().copied().filter(|name| is_personal(name)).collect();
        assert!(hidden.is_empty(), "proposed as personal: {hidden:?}");
        assert!(HARMLESS.len() >= 40);
    }

    /// The reason for a text field called `name` with these values.
    fn by_values(name: &str, values: &[&str], kind: GeometryKind) -> Option<String> {
        let sample: Vec<Vec<Value>> =
            values.iter().map(|text| vec![Value::Text((*text).to_owned())]).collect();
        let fields = [Field::new(name, FieldType::Text)];
        let found = decide(&fields, &sample, None, &Request::new(Vec::new()), kind);
        found.into_iter().next().map(|own| own.reason)
    }

    #[test]
    fn values_that_name_persons_are_personal_under_any_name() {
        for (name, values) in [
            ("cot_3", &["Nguyễn Văn An", "Trần Thị Bình", "Lê Minh", "Ban quản lý dự án"][..]),
            ("ten", &["NGUYEN VAN TAM", "TRAN THI TU", "LE THI HONG SEN"]),
            ("nhan", &["12/3 Lê Lợi - Nguyễn Văn Tám", "5 Hàm Nghi - Trần Thị Sáu Em"]),
            ("dia_chi", &["nhà ông Nguyễn Văn Tám, Phường 5", "nhà bà Tư, hẻm 12"]),
            ("description", &["<tr><td>Chủ sử dụng</td><td>N.V.T</td></tr>", "<tr><td>Thửa</td></tr>"]),
            ("ghi_chu", &["Chủ cũ: ông Tám", "đã đo", "đã đo"]),
            ("Hộ", &["Nguyễn Văn An"]),
            ("doi_tuong", &["Hộ gia đình Nguyễn Văn An"]),
        ] {
            assert!(by_values(name, values, GeometryKind::Polygon).is_some(), "{name}: {values:?}");
        }
    }

    #[test]
    fn streets_wards_and_schools_named_after_persons_are_public() {
        for (name, values, kind) in [
            (
                "ten",
                &["Nguyễn Huệ", "Lê Lợi", "Nguyễn Thị Minh Khai", "Võ Văn Kiệt"][..],
                GeometryKind::Point,
            ),
            ("ten", &["Nguyễn Văn Tám", "Trần Thị Lượm"], GeometryKind::Line),
            ("ten_duong", &["Nguyễn Văn Tám", "Trần Thị Lượm"], GeometryKind::Polygon),
            ("ten_phuong", &["Nguyễn Thái Bình", "Phạm Ngũ Lão", "Cô Giang"], GeometryKind::Polygon),
            ("ten", &["THCS Lê Quý Đôn", "Trường Tiểu học Nguyễn Văn Tám"], GeometryKind::Point),
            ("dia_chi", &["12/3 Nguyễn Văn Tám, Phường 5", "Nguyễn Văn Tám, Quận 4"], GeometryKind::Point),
            ("name", &["Chợ Bà Chiểu", "Cầu Ông Lãnh", "Bến xe Miền Tây"], GeometryKind::Point),
            ("vi_tri", &["Nguyễn Văn Tám", "Nguyễn Văn Tám", "Nguyễn Văn Tám"], GeometryKind::Point),
            ("hang_muc", &["Nhà ở", "Đất trồng cây", "Kim loại"], GeometryKind::Polygon),
            ("doi_tuong", &["GDC", "TKT", "UBQ"], GeometryKind::Polygon),
            ("ho", &["Hồ Trị An", "Hồ Kỳ Hòa"], GeometryKind::Polygon),
            ("mo_ta", &["<b>Số tờ</b> 12", "Ghi chú: không"], GeometryKind::Polygon),
        ] {
            assert_eq!(by_values(name, values, kind), None, "{name}: {values:?}");
        }
    }

    #[test]
    fn the_steward_and_the_record_go_before_the_proposal() {
        let fields: Vec<Field> =
            ["owner", "ma", "ten", "sdt"].map(|name| Field::new(name, FieldType::Text)).to_vec();
        let mut present = Layer::new(
            "things".parse().unwrap(),
            citymap_model::Title::same("x"),
            citymap_model::Role::Other,
            citymap_model::GeometryKind::None,
        );
        present.fields.clone_from(&fields);
        citymap_access::set_personal(&mut present.fields[2], true);
        let mut request = Request::new(Vec::new());
        request.public = vec!["owner".into()];
        request.personal = vec!["ma".into()];
        let found = decide(&fields, &[], Some(&present), &request, GeometryKind::None);
        let names: Vec<&str> = found.iter().map(|own| own.field.as_str()).collect();
        assert_eq!(names, ["ma", "ten", "sdt"]);
        assert_eq!(found[0].reason, "asked for (--personal)");
        assert_eq!(found[1].reason, "it is personal in the record already");
        let empty = decide(&fields[..1], &[], None, &Request::new(Vec::new()), GeometryKind::None);
        assert_eq!(empty[0].reason, "its name says that it holds the owner or user of something");
    }

    #[test]
    fn options_that_name_no_field_or_contradict_each_other_are_refused() {
        let refuse = |personal: &[&str], public: &[&str]| {
            let mut request = Request::new(Vec::new());
            request.personal = personal.iter().map(|name| (*name).to_owned()).collect();
            request.public = public.iter().map(|name| (*name).to_owned()).collect();
            check(&request, &["so_to", "so_thua"]).map_err(|error| error.to_string())
        };
        assert_eq!(refuse(&["so_to"], &["so_thua"]), Ok(()));
        assert!(
            refuse(&["so_tho"], &[])
                .unwrap_err()
                .starts_with("--personal: there is no field `so_tho`; the nearest")
        );
        assert!(refuse(&["so_to"], &["so_to"]).unwrap_err().contains("by --personal and by --public"));
    }
}
