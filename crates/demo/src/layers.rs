//! The layers of the demo city, as the catalogue will hold them.

use chrono::NaiveDate;
use citymap_model::{
    Field, FieldType, GeometryKind, InvalidLayerId, Layer, LayerId, Meaning, Role, Theme, Title, codes,
};

/// The day whose state the demo city claims to show.
pub(crate) const DATA_DATE: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 1, 1);

fn text(name: &str, vi: &str, en: &str) -> Field {
    Field::new(name, FieldType::Text).titled(vi, en)
}

fn int(name: &str, vi: &str, en: &str) -> Field {
    Field::new(name, FieldType::Int).titled(vi, en)
}

fn real(name: &str, vi: &str, en: &str) -> Field {
    Field::new(name, FieldType::Real).titled(vi, en)
}

fn date(name: &str, vi: &str, en: &str) -> Field {
    Field::new(name, FieldType::Date).titled(vi, en)
}

/// What the layers of one run have in common.
pub(crate) struct Catalogue {
    pub(crate) seed: u64,
}

impl Catalogue {
    /// A layer of this run without key and label.
    fn layer(
        &self,
        id: &str,
        [vi, en]: [&str; 2],
        (role, geometry): (Role, GeometryKind),
        fields: Vec<Field>,
    ) -> Result<Layer, InvalidLayerId> {
        let id: LayerId = id.parse()?;
        let title = Title::new(format!("{vi} (Dữ liệu giả lập)"), format!("{en} (synthetic)"));
        let mut layer = Layer::new(id, title, role, geometry);
        layer.fields = fields;
        layer.valid_from =
            layer.field_meaning(Meaning::ValidFrom).map(|index| layer.fields[index].name.clone());
        layer.source = Some(format!("citymap demo, seed {}", self.seed));
        layer.source_crs = Some("EPSG:9210".into());
        layer.data_date = DATA_DATE;
        layer.steward = Some("citymap demo".into());
        layer.attribution = Some("citymap demo – dữ liệu giả lập, synthetic data".into());
        layer.synthetic = true;
        Ok(layer)
    }

    pub(crate) fn communes(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            text("ma", "Mã đơn vị hành chính", "Unit code").means(Meaning::CommuneCode),
            text("ten", "Tên", "Name").means(Meaning::Name),
            text("ten_en", "Tên tiếng Anh", "English name").means(Meaning::NameEn),
            text("loai", "Loại", "Kind"),
            date("valid_from", "Hiệu lực từ", "Valid from").means(Meaning::ValidFrom),
        ];
        let (vi, en) = ("Phường, xã, đặc khu", "Communes");
        Ok(Layer {
            key: Some("ma".into()),
            label: Some("ten".into()),
            ..self.layer("communes", [vi, en], (Role::AdminUnit, GeometryKind::Polygon), fields)?
        })
    }

    pub(crate) fn parcels(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            text("ma_thua", "Mã thửa", "Parcel key"),
            text("ma_xa", "Mã xã, phường", "Commune code").means(Meaning::CommuneCode),
            int("so_to", "Số tờ bản đồ", "Map sheet").means(Meaning::Sheet),
            int("so_thua", "Số thửa", "Parcel number").means(Meaning::ParcelNumber),
            text("loai_dat", "Loại đất", "Land use").coded("land_use").means(Meaning::LandUse),
            real("dien_tich", "Diện tích trên giấy chứng nhận", "Area on the certificate")
                .unit("m²")
                .means(Meaning::Area),
            text("dia_chi", "Địa chỉ", "Address").means(Meaning::Address),
            text("ten_duong", "Tên đường", "Street").means(Meaning::Street),
            text("so_nha", "Số nhà", "House number").means(Meaning::HouseNumber),
            date("valid_from", "Hiệu lực từ", "Valid from").means(Meaning::ValidFrom),
        ];
        let (vi, en) = ("Thửa đất", "Parcels");
        Ok(Layer {
            key: Some("ma_thua".into()),
            label: Some("so_thua".into()),
            ..self.layer("parcels", [vi, en], (Role::Parcel, GeometryKind::Polygon), fields)?
        })
    }

    pub(crate) fn zones(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            text("ma_o", "Mã ô quy hoạch", "Zone key"),
            text("ten", "Tên", "Name").means(Meaning::Name),
            text("cap", "Cấp quy hoạch", "Plan level").coded(codes::PLAN_LEVELS).means(Meaning::PlanLevel),
            text("chuc_nang", "Chức năng", "Function")
                .coded("planning_function")
                .means(Meaning::PlanFunction),
            real("mat_do", "Mật độ xây dựng", "Building coverage").unit("%"),
            real("he_so", "Hệ số sử dụng đất", "Floor-area ratio"),
            int("tang_cao_min", "Tầng cao tối thiểu", "Fewest storeys").unit("tầng"),
            int("tang_cao_max", "Tầng cao tối đa", "Most storeys").unit("tầng"),
            int("dan_so", "Dân số quy hoạch", "Planned population").unit("người"),
            text("so_quyet_dinh", "Số quyết định", "Decision number").means(Meaning::Decision),
            date("ngay_quyet_dinh", "Ngày quyết định", "Decision date"),
            text("co_quan", "Cơ quan phê duyệt", "Approved by"),
        ];
        let (vi, en) = ("Ô chức năng quy hoạch", "Planning zones");
        Ok(Layer {
            key: Some("ma_o".into()),
            label: Some("ten".into()),
            ..self.layer("zones", [vi, en], (Role::Zone, GeometryKind::Polygon), fields)?
        })
    }

    pub(crate) fn roads(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            text("ma_duong", "Mã đoạn đường", "Road key"),
            text("ten", "Tên đường", "Name").means(Meaning::Name),
            text("cap_duong", "Cấp đường", "Class").coded("road_class").means(Meaning::RoadClass),
            real("lo_gioi", "Lộ giới", "Right-of-way").unit("m").means(Meaning::RightOfWay),
            real("long_duong", "Lòng đường", "Carriageway").unit("m").means(Meaning::Width),
            Field::new("mot_chieu", FieldType::Bool).titled("Một chiều", "One way"),
        ];
        let (vi, en) = ("Đường giao thông", "Roads");
        Ok(Layer {
            key: Some("ma_duong".into()),
            label: Some("ten".into()),
            ..self.layer("roads", [vi, en], (Role::Road, GeometryKind::Line), fields)?
        })
    }

    pub(crate) fn buildings(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            int("so_tang", "Số tầng", "Storeys").unit("tầng").means(Meaning::Storeys),
            real("cao", "Chiều cao", "Height").unit("m").means(Meaning::Height),
            text("loai", "Loại công trình", "Kind"),
        ];
        self.layer("buildings", ["Công trình", "Buildings"], (Role::Building, GeometryKind::Polygon), fields)
    }

    pub(crate) fn addresses(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            text("so_nha", "Số nhà", "House number").means(Meaning::HouseNumber),
            text("ten_duong", "Tên đường", "Street").means(Meaning::Street),
            text("dia_chi", "Địa chỉ", "Address").means(Meaning::Address),
            text("ma_xa", "Mã xã, phường", "Commune code").means(Meaning::CommuneCode),
        ];
        let (vi, en, role) = ("Địa chỉ", "Addresses", Role::Address);
        Ok(Layer {
            label: Some("so_nha".into()),
            ..self.layer("addresses", [vi, en], (role, GeometryKind::Point), fields)?
        })
    }

    pub(crate) fn water(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![text("ten", "Tên", "Name").means(Meaning::Name), text("loai", "Loại", "Kind")];
        let (vi, en) = ("Mặt nước", "Water");
        let mut layer = Layer {
            label: Some("ten".into()),
            ..self.layer("water", [vi, en], (Role::Other, GeometryKind::Polygon), fields)?
        };
        layer.theme = Some(Theme::Water);
        Ok(layer)
    }

    pub(crate) fn drainage(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            int("duong_kinh", "Đường kính", "Diameter").unit("mm"),
            text("vat_lieu", "Vật liệu", "Material"),
        ];
        let (vi, en) = ("Cống thoát nước", "Drainage");
        self.layer("drainage", [vi, en], (Role::Utility, GeometryKind::Line), fields)
    }

    pub(crate) fn power_lines(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![real("dien_ap", "Điện áp", "Voltage").unit("kV"), text("loai", "Loại", "Kind")];
        let (vi, en) = ("Đường dây điện", "Power lines");
        let mut layer = self.layer("power_lines", [vi, en], (Role::Utility, GeometryKind::Line), fields)?;
        layer.theme = Some(Theme::Power);
        Ok(layer)
    }

    pub(crate) fn street_lights(&self) -> Result<Layer, InvalidLayerId> {
        let fields =
            vec![int("cong_suat", "Công suất", "Power").unit("W"), text("loai_den", "Loại đèn", "Lamp")];
        let (vi, en) = ("Đèn chiếu sáng", "Street lights");
        let mut layer =
            self.layer("street_lights", [vi, en], (Role::Utility, GeometryKind::Point), fields)?;
        layer.theme = Some(Theme::Light);
        Ok(layer)
    }

    pub(crate) fn hydrants(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            int("duong_kinh", "Đường kính ống", "Pipe diameter").unit("mm"),
            text("tinh_trang", "Tình trạng", "State").means(Meaning::Status),
        ];
        let (vi, en) = ("Trụ nước chữa cháy", "Hydrants");
        let mut layer = self.layer("hydrants", [vi, en], (Role::Utility, GeometryKind::Point), fields)?;
        layer.theme = Some(Theme::Hydrant);
        Ok(layer)
    }

    pub(crate) fn schools(&self) -> Result<Layer, InvalidLayerId> {
        let fields =
            vec![text("ten", "Tên trường", "Name").means(Meaning::Name), text("cap", "Cấp học", "Level")];
        let (vi, en) = ("Trường học", "Schools");
        let mut layer = Layer {
            label: Some("ten".into()),
            ..self.layer("schools", [vi, en], (Role::Place, GeometryKind::Point), fields)?
        };
        layer.theme = Some(Theme::School);
        Ok(layer)
    }

    pub(crate) fn places(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![text("ten", "Tên", "Name").means(Meaning::Name), text("loai", "Loại", "Kind")];
        let (vi, en) = ("Địa điểm", "Places");
        Ok(Layer {
            label: Some("ten".into()),
            ..self.layer("places", [vi, en], (Role::Place, GeometryKind::Point), fields)?
        })
    }

    pub(crate) fn reports(&self) -> Result<Layer, InvalidLayerId> {
        let fields = vec![
            text("ma", "Mã phản ánh", "Report key"),
            text("loai", "Loại phản ánh", "Kind"),
            text("mo_ta", "Nội dung", "Description"),
            text("trang_thai", "Trạng thái", "State").means(Meaning::Status),
            Field::new("thoi_gian", FieldType::DateTime).titled("Thời gian", "Time"),
        ];
        let (vi, en) = ("Phản ánh 1022", "1022 reports");
        let mut layer = Layer {
            key: Some("ma".into()),
            label: Some("loai".into()),
            ..self.layer("reports_1022", [vi, en], (Role::Report, GeometryKind::Point), fields)?
        };
        layer.theme = Some(Theme::Report);
        Ok(layer)
    }
}
