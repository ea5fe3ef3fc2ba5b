//! Paths: chains of edges along which state migrates and messages convert.
//!
//! A release declares edges between neighbouring lines; what comes from further away takes several.
//! The path is the shortest, and of several shortest the one whose edges come first in the manifest,
//! so every node takes the same.
//!
//! Knows nothing of when to convert. Invariant: [`Adaptors`] belong to one release and never change.
//! Source: our own. The paper (section 3.3) has one function for all older majors and leaves open how
//! they compose.

use std::{collections::VecDeque, fmt, sync::Arc};

use app::{Body, Fault, Manifest, Meter, Program, value::SchemaId};

use crate::{
    bugs::{Bug, Bugs},
    release::{ApiClass, ApiClassError, ReleaseId},
};

/// Edges to apply, by number, in order. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Arc<[u32]>);

impl Path {
    /// The path over `edges`, in order.
    pub fn over(edges: impl IntoIterator<Item = u32>) -> Self {
        Self(edges.into_iter().collect())
    }

    /// Edge numbers of the manifest, in order of application.
    pub fn edges(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Display for Path {
    /// `0>1`, or `-` where nothing is applied.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("-");
        }
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(at, edge)| write!(f, "{}{edge}", if at == 0 { "" } else { ">" }))
    }
}

/// The path that messages of class `from` take to class `to`, if the manifest's edges lead there.
pub fn message_path(manifest: &Manifest, from: &str, to: &str) -> Option<Path> {
    let edges: Vec<_> =
        manifest.edges.iter().map(|edge| (edge.from_class, edge.to_class)).collect();
    shortest(&edges, from, to)
}

/// The path that state of schema `from` takes to the manifest's own schema, if its edges lead there.
///
/// Empty where `from` is that schema: such an upgrade is a hot swap and needs no edge.
pub fn state_path(manifest: &Manifest, from: SchemaId) -> Option<Path> {
    let edges: Vec<_> =
        manifest.edges.iter().map(|edge| (edge.from_state, edge.to_state)).collect();
    shortest(&edges, from, manifest.state.id())
}

/// Breadth first over the edges in their order.
fn shortest<T: PartialEq + Copy>(edges: &[(T, T)], from: T, to: T) -> Option<Path> {
    let mut reached: Vec<(T, Option<(usize, u32)>)> = vec![(from, None)];
    let mut open = VecDeque::from([0]);
    while let Some(at) = open.pop_front() {
        if reached[at].0 == to {
            let step = |at: &Option<(usize, u32)>| at.map(|(before, _)| reached[before].1);
            let mut path: Vec<u32> = std::iter::successors(Some(reached[at].1), step)
                .map_while(|step| step.map(|(_, edge)| edge))
                .collect();
            path.reverse();
            return Some(Path::over(path));
        }
        for (number, (start, end)) in edges.iter().enumerate() {
            if *start == reached[at].0 && reached.iter().all(|(seen, _)| seen != end) {
                open.push_back(reached.len());
                reached.push((*end, Some((at, number as u32))));
            }
        }
    }
    None
}

/// A message after its conversion, and the edges that were applied to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// What the app sees.
    pub body: Body,
    /// What was applied, in order: the whole path.
    pub path: Path,
}

/// Takes `body` along `path`. Errors: [`Fault`] of the first edge that refuses it.
pub fn convert_along(
    program: &dyn Program,
    path: &Path,
    body: &Body,
    bugs: Bugs,
) -> Result<Converted, Fault> {
    if bugs.has(Bug::SkipEdge) && path.edges().len() > 1 {
        let last = Path::over(path.edges().last().copied());
        return apply(program, last, body);
    }
    let converted = apply(program, path.clone(), body)?;
    if bugs.has(Bug::ConvertTwice) {
        let twice = Path::over(path.edges().iter().chain(path.edges()).copied());
        let again = apply(program, path.clone(), &converted.body);
        let body = again.map_or(converted.body, |again| again.body);
        return Ok(Converted { body, path: twice });
    }
    Ok(converted)
}

fn apply(program: &dyn Program, path: Path, body: &Body) -> Result<Converted, Fault> {
    let mut converted = body.clone();
    for edge in path.edges() {
        converted = program.convert(*edge as usize, &converted)?;
    }
    Ok(Converted { body: converted, path })
}

/// Takes `state` along `path`, paying from `meter`. Errors: [`Fault`] of the first edge that fails.
pub fn migrate_along(
    program: &dyn Program,
    path: &Path,
    state: &[u8],
    meter: &mut Meter,
) -> Result<Vec<u8>, Fault> {
    let mut migrated = state.to_vec();
    for edge in path.edges() {
        migrated = program.migrate(*edge as usize, &migrated, meter)?;
    }
    Ok(migrated)
}

/// Every path to one release's own class, found once when the release is staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adaptors {
    /// The release whose edges these are.
    pub release: ReleaseId,
    /// By the class that messages come from, in order of the manifest. Few: a search beats a tree.
    paths: Vec<(ApiClass, Path)>,
    /// The last edge into the release's own class, which [`Bug::ConvertEqualMajor`] applies.
    last: Option<Path>,
}

impl Adaptors {
    /// The paths of `manifest` to class `own` of `release`.
    ///
    /// Errors: [`ApiClassError`] where the manifest names a class that cannot be.
    pub fn new(
        release: ReleaseId,
        own: &ApiClass,
        manifest: &Manifest,
    ) -> Result<Self, ApiClassError> {
        let own = own.to_string();
        let mut paths: Vec<(ApiClass, Path)> = Vec::new();
        let mut last = None;
        for (number, edge) in manifest.edges.iter().enumerate() {
            edge.to_class.parse::<ApiClass>()?;
            let from: ApiClass = edge.from_class.parse()?;
            if edge.to_class == own {
                last = Some(Path::over([number as u32]));
            }
            if edge.from_class == own || paths.iter().any(|(class, _)| *class == from) {
                continue;
            }
            if let Some(path) = message_path(manifest, edge.from_class, &own) {
                paths.push((from, path));
            }
        }
        Ok(Self { release, paths, last })
    }

    /// The path that messages of class `from` take, if there is one.
    pub fn path_from(&self, from: &ApiClass) -> Option<&Path> {
        self.paths.iter().find(|(class, _)| class == from).map(|(_, path)| path)
    }

    /// The last edge into the release's own class.
    pub(crate) fn last(&self) -> Option<&Path> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use app::{Edge, Runtime};

    use super::*;
    use crate::testing::{ADD, Toys, manifest, schema, state};

    fn toy(text: &str) -> Arc<dyn Program> {
        Toys::default().load(format!("toy {text}").as_bytes()).unwrap()
    }

    /// The path from 1 to 9 over edges written `12 29`.
    fn path(edges: &str) -> Option<String> {
        let ends = |edge: &str| (edge.as_bytes()[0], edge.as_bytes()[1]);
        let edges: Vec<_> = edges.split_whitespace().map(ends).collect();
        shortest(&edges, b'1', b'9').map(|path| path.to_string())
    }

    #[test]
    fn the_shortest_path_wins_and_among_equals_the_one_declared_first() {
        for (edges, expected) in [
            ("", None),
            ("19", Some("0")),
            ("12 29", Some("0>1")),
            ("29 12", Some("1>0")),
            ("12 23 39 29", Some("0>3")),
            ("13 12 29 39", Some("0>3")),
            ("12 13 29 39", Some("0>2")),
            ("19 19", Some("0")),
            ("12 21 11 22", None),
            ("12 21 29", Some("0>2")),
            ("91", None),
        ] {
            assert_eq!(path(edges).as_deref(), expected, "{edges}");
        }
    }

    #[test]
    fn the_same_state_schema_needs_no_edge() {
        let manifest = manifest(&"2.0.0".parse().unwrap(), "no-edge");
        assert_eq!(state_path(&manifest, schema(2).id()), Some(Path::over([])));
        assert_eq!(state_path(&manifest, schema(1).id()), None);
    }

    #[test]
    fn r15_a_message_that_skips_a_line_is_converted_over_both_edges() {
        let three = toy("3.0.0");
        let path = message_path(three.manifest(), "1", "3").unwrap();
        let body = Body { tag: ADD, bytes: [9].into() };
        let converted = convert_along(&*three, &path, &body, Bugs::NONE).unwrap();
        assert_eq!((converted.body.tag, &converted.body.bytes[..]), (ADD + 20, &[9, 0, 1][..]));
        assert_eq!(converted.path.to_string(), "0>1");
    }

    #[test]
    fn a_conversion_that_one_edge_refuses_is_refused() {
        let three = toy("3.0.0");
        let path = message_path(three.manifest(), "1", "3").unwrap();
        let body = Body { tag: ADD + 10, bytes: [9].into() };
        let refused = Fault::Refused("#11 means nothing".to_owned());
        assert_eq!(convert_along(&*three, &path, &body, Bugs::NONE), Err(refused));
    }

    #[test]
    fn planted_bugs_convert_twice_or_skip_an_edge() {
        let three = toy("3.0.0");
        let path = message_path(three.manifest(), "1", "3").unwrap();
        let body = Body { tag: ADD, bytes: [9].into() };
        let twice = convert_along(&*three, &path, &body, Bug::ConvertTwice.into()).unwrap();
        assert_eq!(twice.path.to_string(), "0>1>0>1");
        let body = Body { tag: ADD + 10, bytes: [9].into() };
        let skipped = convert_along(&*three, &path, &body, Bug::SkipEdge.into()).unwrap();
        assert_eq!(skipped.path.to_string(), "1");
    }

    #[test]
    fn a_state_migrates_over_every_edge_on_one_meter() {
        let three = toy("3.0.0");
        let path = state_path(three.manifest(), schema(1).id()).unwrap();
        let mut meter = Meter::new(20);
        assert_eq!(migrate_along(&*three, &path, &state(1, 7), &mut meter), Ok(state(3, 7)));
        assert_eq!(meter.spent(), 20);
        let over = migrate_along(&*three, &path, &state(1, 7), &mut Meter::new(19));
        assert_eq!(over, Err(Fault::OverBudget { spent: 20, budget: 19 }));
    }

    #[test]
    fn adaptors_know_every_class_that_leads_to_their_own_and_whose_they_are() {
        let three = toy("3.0.0");
        let stamp = crate::testing::stamp("3.0.0");
        let adaptors = Adaptors::new(stamp.id().clone(), stamp.class(), three.manifest()).unwrap();
        let from = |class| adaptors.path_from(&ApiClass::Major(class)).map(Path::to_string);
        assert_eq!([from(1), from(2)], ["0>1", "1"].map(|path| Some(path.to_owned())));
        assert_eq!([from(3), from(4)], [None, None]);
        assert_eq!(&adaptors.release, stamp.id());
    }

    #[test]
    fn an_edge_of_a_class_that_cannot_be_is_found_when_staged() {
        let stamp = crate::testing::stamp("2.0.0");
        let mut manifest = manifest(&"2.0.0".parse().unwrap(), "");
        for classes in [("1.2", "2"), ("1", "two")] {
            let edge = &manifest.edges[0];
            let edge = Edge { from_class: classes.0, to_class: classes.1, ..edge.clone() };
            manifest.edges = vec![edge];
            assert!(Adaptors::new(stamp.id().clone(), stamp.class(), &manifest).is_err());
        }
    }
}
