//! Lists of names and values that are personal, and of those that are not.

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
    let sample: Vec<Vec<Value>> = values.iter().map(|text| vec![Value::Text((*text).to_owned())]).collect();
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
        ("ten", &["Nguyễn Huệ", "Lê Lợi", "Nguyễn Thị Minh Khai", "Võ Văn Kiệt"][..], GeometryKind::Point),
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
