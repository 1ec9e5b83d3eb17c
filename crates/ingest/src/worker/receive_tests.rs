//! A child that a file took over hands over what no sound child does.

use citymap_model::{Field, FieldType, LayerId, Role, Title, Value};
use geo_types::{Geometry, Point};

use super::*;
use crate::{Encoding, EncodingReport, FileReport};

fn layer(id: &str) -> Layer {
    let id: LayerId = id.parse().unwrap();
    let mut layer = Layer::new(id, Title::same("x"), Role::Other, GeometryKind::Point);
    layer.fields = vec![Field::new("ten", FieldType::Text), Field::new("so", FieldType::Int)];
    layer
}

fn opened(layers: Vec<Layer>) -> Opened {
    let files = vec![FileReport {
        path: "a.csv".into(),
        driver: "CSV".into(),
        sha256: String::new(),
        bytes: 1,
        notes: Vec::new(),
        incomplete: false,
    }];
    let encoding =
        EncodingReport { encoding: Encoding::Utf8, how: String::new(), confidence: None, sample: Vec::new() };
    let plan = |layer| Plan {
        file: 0,
        position: 0,
        source: "a".into(),
        total: None,
        layer,
        fit: Default::default(),
        crs: None,
        location: Default::default(),
        encoding: encoding.clone(),
        personal: Vec::new(),
        issues: Vec::new(),
    };
    Opened { files, plans: layers.into_iter().map(plan).collect() }
}

fn request() -> Request {
    let mut request = Request::new(vec!["a.csv".into()]);
    request.layer = Some("lop".parse().unwrap());
    request
}

#[test]
fn plans_that_were_not_asked_for_are_refused() {
    let request = request();
    let mut present = layer("lop");
    present.fields[0].personal = true;
    let mut personal = layer("lop");
    personal.fields[0].personal = true;
    let present = [present];
    let look = |opened: Opened| Received::new(&request, &present).checked(Item::Opened(opened)).map(|_| ());
    assert_eq!(look(opened(vec![personal.clone(), layer("lop_b")])), Ok(()));
    assert!(look(opened(vec![layer("lop")])).unwrap_err().contains("`ten` as public"));
    assert!(look(opened(vec![layer("parcels")])).unwrap_err().contains("`parcels`"));
    assert!(look(opened(vec![personal.clone(), personal.clone()])).unwrap_err().contains("twice"));
    let mut other = opened(vec![personal.clone()]);
    other.files[0].path = "b.csv".into();
    assert!(look(other).unwrap_err().contains("other files"));
    let mut none = opened(vec![personal]);
    none.plans[0].file = 1;
    assert!(look(none).unwrap_err().contains("no file"));
}

#[test]
fn features_that_do_not_fit_their_layer_are_refused() {
    let (layer, request) = (layer("lop"), request());
    let sound = vec![Value::Text("a".into()), Value::Int(1)];
    let at = |x, y| -> Option<Geometry<f64>> { Some(Point::new(x, y).into()) };
    let line: Geometry<f64> = geo_types::LineString::from(vec![(106.0, 10.0), (107.0, 10.0)]).into();
    for (geometry, values, is_sound) in [
        (at(106.7, 10.7), sound.clone(), true),
        (None, sound.clone(), true),
        (at(f64::NAN, 10.7), sound.clone(), false),
        (at(106.7, f64::INFINITY), sound.clone(), false),
        (at(603_481.0, 1_191_454.0), sound.clone(), false),
        (Some(line), sound.clone(), false),
        (at(106.7, 10.7), vec![Value::Int(1), Value::Int(1)], false),
        (at(106.7, 10.7), sound[..1].to_vec(), false),
        (at(106.7, 10.7), [sound.clone(), sound].concat(), false),
    ] {
        let shown = format!("{geometry:?} {values:?}");
        let feature = NewFeature { geometry, values };
        let one = Checked {
            index: 5,
            line: None,
            verdict: Verdict::Accepted { feature, original: None },
            issues: Vec::new(),
            repaired: false,
            dropped_z: false,
            curved: false,
            position: crate::check::Position::Given,
            key: None,
            shown: None,
        };
        let mut received = Received::new(&request, &[]);
        received.checked(Item::Opened(opened(vec![layer.clone()]))).unwrap();
        assert_eq!(received.checked(Item::Batch(vec![one])).is_ok(), is_sound, "{shown}");
    }
    let mut early = Received::new(&request, &[]);
    assert!(early.checked(Item::Batch(Vec::new())).is_err());
}
