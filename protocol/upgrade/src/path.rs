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
