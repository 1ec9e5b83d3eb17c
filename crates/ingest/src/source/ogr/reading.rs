//! One reading of a layer from GDAL to its end.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use citymap_model::{GeometryKind, Value, counted};
use gdal::vector::{Feature, Layer, LayerAccess, sql::Dialect};

use super::{
    Body, OgrLayer, OgrReader, blank_is_null,
    cells::CellReading,
    dgn,
    fid::FidColumn,
    geometries::geometry_of,
    messages::{Warnings, line_of},
    positions::misplaced,
    value::value,
};
use crate::{
    ImportError, gdal_log,
    source::{Raw, Sink, systems::NoSystem},
    srs::{self, Srs},
};

/// What is known so far of the layer that is being read.
pub(super) struct Reading<'a> {
    reader: &'a OgrReader,
    plan: &'a OgrLayer,
    texts: dgn::Texts,
    cells: Option<CellReading<'a>>,
    /// Features handed over so far, rejects included.
    index: u64,
    /// Features that the format numbers in order, from 1.
    in_order: bool,
    /// Features left out, because they are in paper space.
    on_paper: u64,
    /// Lines of a drawing whose entity was handed over as unreadable.
    unread: BTreeSet<u64>,
    /// Handles of the entities of a drawing that GDAL gave.
    handles: HashSet<u64>,
    /// Errors about entities of a drawing that name no line.
    unplaced: VecDeque<String>,
    warnings: Warnings,
    codes: SystemCodes,
    /// Features that lack the geometry that is read first, by the order of the one that they have.
    others: BTreeMap<usize, u64>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(reader: &'a OgrReader, plan: &'a OgrLayer) -> Result<Self, ImportError> {
        let fields = plan.layer.fields.iter().map(|field| &field.name);
        Ok(Self {
            texts: dgn::texts_of(&reader.driver, &reader.opener, &reader.shown)?,
            cells: reader.cells.reading(&reader.opener.path, &plan.layer.name).map_err(|error| {
                ImportError::malformed(
                    &reader.shown,
                    format!("layer `{}`", plan.layer.name),
                    error.to_string(),
                )
            })?,
            reader,
            plan,
            index: 0,
            in_order: true,
            on_paper: 0,
            unread: BTreeSet::new(),
            handles: HashSet::new(),
            unplaced: VecDeque::new(),
            warnings: Warnings::new(
                plan.raw_names.iter().chain([&plan.layer.name]).chain(fields).cloned().collect(),
            ),
            codes: SystemCodes::default(),
            others: BTreeMap::new(),
        })
    }

    /// Hands over the features from a number of GDAL's on; `false` if nobody wants more.
    pub(super) fn features(&mut self, ogr: &mut Layer<'_>, first: u64, sink: &mut Sink<'_>) -> bool {
        let paper = paper_space(&self.reader.driver, ogr);
        for feature in ogr.features() {
            let fid = feature.fid();
            if first > 0 && fid.is_some_and(|fid| fid < first) {
                continue;
            }
            let errors = self.warnings.sort(gdal_log::take());
            let fault = match self.belongs_elsewhere(errors, &feature, sink) {
                Ok(fault) => fault,
                Err(Enough) => return false,
            };
            if is_on_paper(&feature, paper) {
                self.on_paper += 1;
                continue;
            }
            self.index += 1;
            self.in_order &= fid == Some(self.index);
            let body = self.body(&feature, fault);
            if !sink(Raw { index: self.index, line: None, body }) {
                return false;
            }
        }
        true
    }

    fn body(&mut self, feature: &Feature<'_>, mut fault: Option<String>) -> Body {
        let (plan, fid) = (self.plan, feature.fid());
        let blank = blank_is_null(&self.reader.driver);
        let mut values = Vec::with_capacity(plan.layer.fields.len());
        if plan.fid.as_ref().is_some_and(|column| column.kept) {
            values.push(number(fid));
        }
        for (field, how) in &plan.fields {
            values.push(value(feature, *field, *how, blank, self.reader.values).unwrap_or_else(|reason| {
                let name = plan.layer.fields.get(values.len()).map_or("", |f| f.name.as_str());
                fault.get_or_insert(format!("field `{name}`: {reason}"));
                Value::Null
            }));
        }
        let names = plan.layer.fields.iter().map(|field| field.name.as_str());
        dgn::put_back(&self.texts, feature, names, &mut values);
        if let Some(digits) = &self.reader.digits {
            digits.put_back(fid, &plan.raw_names, &mut values);
        }
        if let Some(cells) = &self.cells
            && let Err(error) = cells.put_back(fid, &plan.raw_names, &mut values)
        {
            fault.get_or_insert(format!("its row cannot be read: {error}"));
        }
        let (mut wkb, mut system) = (None, None);
        if plan.layer.kind != GeometryKind::None
            && let Some((order, geometry)) = geometry_of(feature, &plan.geometries)
        {
            if order > 0 {
                *self.others.entry(order).or_default() += 1;
            }
            match geometry.iso_wkb() {
                Ok(bytes) => match misplaced(&bytes, &self.reader.opener.misplaced) {
                    Some(reason) => fault = fault.or_else(|| Some(reason.to_owned())),
                    None => {
                        wkb = Some(bytes);
                        match plan
                            .systems
                            .as_ref()
                            .map(|own| own.of_feature(self.codes.of(feature, &plan.geometries)))
                        {
                            Some(Ok(own)) => system = own,
                            Some(Err(why)) => fault = fault.or_else(|| Some(told(why))),
                            None => {}
                        }
                    }
                },
                Err(error) => fault = fault.or_else(|| Some(format!("its geometry cannot be read: {error}"))),
            }
        }
        // A null geometry is an error to GDAL's own bookkeeping and none to us.
        self.warnings.sort(gdal_log::take());
        Body::Wkb { id: fid.map(|fid| fid.to_string()), wkb, values, fault, system }
    }

    /// Of the errors before a feature, the one that is about it. In drawings GDAL passes over an entity that
    /// it cannot read, so an error is about the entity at its line: it is handed over as one that was read,
    /// and is rejected.
    fn belongs_elsewhere(
        &mut self,
        errors: Vec<String>,
        feature: &Feature<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<Option<String>, Enough> {
        if !is_drawing(&self.reader.driver) {
            return Ok(errors.into_iter().next());
        }
        let own = handle(feature);
        self.handles.extend(own);
        let has_handles = !self.handles.is_empty();
        let mut fault = None;
        for error in errors {
            let entity = self.entity_at(line_of(&error));
            if own.is_some() && entity.and_then(|entity| entity.handle) == own {
                fault.get_or_insert(error);
            } else if entity.is_none() && has_handles {
                self.unplaced.push_back(error);
            } else {
                self.unreadable(&error, sink)?;
            }
        }
        Ok(fault)
    }

    /// Hands over the entities of a drawing that GDAL neither gave nor spoke of.
    fn passed_over(&mut self, sink: &mut Sink<'_>) -> Result<(), Enough> {
        let Some(drawing) = &self.reader.drawing else { return Ok(()) };
        let given = |handle: Option<u64>| handle.is_some_and(|handle| self.handles.contains(&handle));
        let silent: Vec<u64> =
            drawing.single().filter(|entity| !given(entity.handle)).map(|entity| entity.line).collect();
        silent.into_iter().try_for_each(|line| {
            let said = self.unplaced.pop_front().unwrap_or_else(|| "GDAL gave nothing for it".to_owned());
            self.unreadable(&format!("{said}, at line {line}"), sink)
        })
    }

    fn entity_at(&self, line: Option<u64>) -> Option<&'a super::dxf_scan::Entity> {
        self.reader.drawing.as_ref()?.at_line(line?)
    }

    /// Hands over an entity that GDAL could not read, as a reject.
    fn unreadable(&mut self, error: &str, sink: &mut Sink<'_>) -> Result<(), Enough> {
        let entity = self.entity_at(line_of(error));
        if entity.is_some_and(|entity| entity.paper) {
            self.on_paper += 1;
            return Ok(());
        }
        if entity.is_some_and(|entity| !self.unread.insert(entity.line)) {
            return Ok(());
        }
        self.index += 1;
        let line = entity.map(|entity| entity.line);
        let kind = entity.map_or("", |entity| entity.kind.name());
        let reason = format!(
            "an entity {kind} could not be read; explode it, or draw it as lines, in the program that wrote \
             the drawing ({error})"
        )
        .replace("entity  ", "entity ");
        let text = format!("{kind} {}", line.map_or_else(String::new, |line| format!("at line {line}")));
        let body = Body::Broken { text: text.into_bytes(), reason };
        if sink(Raw { index: self.index, line, body }) { Ok(()) } else { Err(Enough) }
    }

    /// What the end of the layer shows: whether GDAL came to its end, and what was left out.
    ///
    /// # Errors
    /// [`ImportError::Malformed`] if the file is cut off.
    pub(super) fn end(mut self, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let errors = self.warnings.sort(gdal_log::take());
        for error in errors {
            if !is_drawing(&self.reader.driver) || self.stopped(&error) {
                return Err(ImportError::malformed(
                    &self.reader.shown,
                    format!("{} (after which reading stopped)", self.place(self.index)),
                    format!("{error}; the file is cut off or damaged: get it again"),
                ));
            }
            if self.unreadable(&error, sink).is_err() {
                return Ok(Vec::new());
            }
        }
        if self.passed_over(sink).is_err() {
            return Ok(Vec::new());
        }
        let mut notes = Vec::new();
        if let Some(count) = self.plan.layer.count
            && count > self.index
        {
            notes.push(self.fewer(count)?);
        }
        if let Some(rows) = self.reader.opener.mid_rows.filter(|rows| *rows > self.index) {
            return Err(self.malformed(
                self.index,
                format!(
                    "the .mid holds {} and the .mif {}; the .mif is cut off or damaged: get it again",
                    counted(rows, "row", "rows"),
                    counted(self.index, "object", "objects")
                ),
            ));
        }
        let (warnings, index) = (std::mem::take(&mut self.warnings), self.index);
        notes.extend(warnings.notes());
        notes.extend(self.unplaced.iter().map(|error| format!("GDAL says: {error}")));
        if let Some(records) = self.reader.opener.records
            && records > index
        {
            notes.push(format!(
                "{} marked as deleted in the .dbf and left out, with the shapes",
                counted(records - index, "row is", "rows are")
            ));
        }
        if let Some((first, _)) = self.plan.geometries.first() {
            let name = |order: &usize| self.plan.geometries.get(*order).map_or("", |(name, _)| name);
            notes.extend(self.others.iter().map(|(order, count)| {
                format!("{count} features have no `{first}`; their `{}` was taken", name(order))
            }));
        }
        if self.on_paper > 0 {
            notes.push(format!(
                "{} in paper space (frames and title blocks of sheets to print) and left out",
                counted(self.on_paper, "entity is", "entities are")
            ));
        }
        notes.extend(self.reader.drawing.as_ref().and_then(|drawing| unread_types(&drawing.unread())));
        if let Some(FidColumn { name, kept: false }) = &self.plan.fid
            && !self.in_order
        {
            notes.push(format!(
                "the column `{name}`, by which the file numbers its rows, was not kept; name it with --key \
                 {name} if others refer to its numbers"
            ));
        }
        Ok(notes)
    }

    /// Whether an error at the end of a drawing made GDAL stop before its end.
    fn stopped(&self, error: &str) -> bool {
        let Some(drawing) = &self.reader.drawing else { return false };
        !drawing.whole || line_of(error).is_some_and(|line| drawing.goes_on_after(line))
    }

    /// The layer says that it holds more features than were read. A GeoPackage keeps that number beside its
    /// rows, and programs forget to change it: the rows are counted.
    fn fewer(&self, count: u64) -> Result<String, ImportError> {
        let name = &self.plan.layer.name;
        if self.reader.driver == "GPKG" && self.rows() == Some(self.index) {
            return Ok(format!(
                "the GeoPackage says in gpkg_ogr_contents that the layer `{name}` holds {}; the table \
                 holds {}, and all of them were read",
                counted(count, "feature", "features"),
                self.index
            ));
        }
        Err(self.malformed(
            self.index,
            format!(
                "the layer says that it holds {}, but only {} could be read; the file is cut off or damaged: \
                 get it again",
                counted(count, "feature", "features"),
                self.index
            ),
        ))
    }

    /// The rows of the layer's table, counted by SQLite.
    fn rows(&self) -> Option<u64> {
        let dataset = self.reader.opener.open().ok()?;
        let table = self.plan.layer.name.replace('"', "\"\"");
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let mut rows = dataset.execute_sql(sql, None, Dialect::DEFAULT).ok()??;
        let count = rows.features().next()?.field_as_integer64(0).ok()??;
        u64::try_from(count).ok()
    }

    fn place(&self, index: u64) -> String {
        format!("layer `{}`, feature {index}", self.plan.layer.name)
    }

    pub(super) fn malformed(&self, index: u64, reason: String) -> ImportError {
        ImportError::malformed(&self.reader.shown, self.place(index), reason)
    }
}

/// The codes of the systems that geometries name, by what they are called.
#[derive(Default)]
pub(super) struct SystemCodes {
    known: HashMap<String, u32>,
}

impl SystemCodes {
    /// The EPSG code of the system that a geometry names; 0 where that has none, and none where it names
    /// none.
    pub(super) fn of(&mut self, feature: &Feature<'_>, geometries: &[(String, usize)]) -> Option<u32> {
        let srs = geometry_of(feature, geometries)?.1.spatial_ref()?;
        let name = srs.authority().ok().or_else(|| srs.name())?;
        Some(*self.known.entry(name).or_insert_with(|| match srs::identify(Some(&srs), "srsName") {
            Srs::Known { crs, .. } => crs.code(),
            _ => 0,
        }))
    }
}

/// Why a geometry cannot be read in any system, and what to do.
fn told(why: NoSystem) -> String {
    match why {
        NoSystem::Unnamed => {
            "its geometry has no srsName, and that of others has; give it one, or say --crs \
                              EPSG:n for those that have none"
                .into()
        }
        NoSystem::Unknown(_) => {
            "the srsName of its geometry is not a coordinate system that is known here".into()
        }
    }
}

/// Nobody wants more features.
struct Enough;

/// GDAL's number of a row as a value.
pub(super) fn number(fid: Option<u64>) -> Value {
    fid.and_then(|fid| i64::try_from(fid).ok()).map_or(Value::Null, Value::Int)
}

/// Drivers that pass over what they cannot read.
fn is_drawing(driver: &str) -> bool {
    matches!(driver, "DXF" | "DGN")
}

/// The handle of a drawing's entity.
fn handle(feature: &Feature<'_>) -> Option<u64> {
    let index = feature.field_index("EntityHandle").ok()?;
    let text = feature.field_as_string(index).ok()??;
    u64::from_str_radix(&text, 16).ok()
}

/// The position of the field that tells a sheet to print from the world, in drawings.
pub(super) fn paper_space(driver: &str, ogr: &Layer<'_>) -> Option<usize> {
    if driver == "DXF" { ogr.defn().field_index("PaperSpace").ok() } else { None }
}

/// Whether a feature is on a sheet to print. `field` is of [`paper_space`].
pub(super) fn is_on_paper(feature: &Feature<'_>, field: Option<usize>) -> bool {
    field.is_some_and(|field| matches!(feature.field_as_integer(field), Ok(Some(1))))
}

/// A note on entities of types that are not read.
fn unread_types(types: &[(&str, u64)]) -> Option<String> {
    let (_, _) = types.first()?;
    let sum: u64 = types.iter().map(|(_, count)| count).sum();
    let listed: Vec<String> = types.iter().take(8).map(|(kind, count)| format!("{count} {kind}")).collect();
    let more = if types.len() > 8 { ", …" } else { "" };
    Some(format!(
        "{} left out, of types that are not read: {}{more}; explode them in the program that wrote the \
         drawing if they matter",
        counted(sum, "entity was", "entities were"),
        listed.join(", ")
    ))
}
