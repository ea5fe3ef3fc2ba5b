//! Graphviz: the telling events and which of them happened before which, drawn without what follows from
//! others. Messages are the reason of edges between lanes and do not stand there themselves.

use std::fmt::Write;

use results::Diagram;

use super::causal::{Happened, What, clocks, everything};
use crate::{
    units::counted,
    view::{is_telling, seconds},
};

/// Events in a graph: `dot` takes its time with more, and nobody reads them.
const EVENTS_MAX: usize = 400;

/// An event of the graph.
struct Node {
    mark: usize,
    lane: usize,
    /// Its place on its lane, from 1, among the events of the graph.
    place: u32,
    clock: Vec<u32>,
}

pub(super) fn graph(run: &Diagram) -> (Vec<u8>, Option<String>) {
    let everything = everything(run);
    let telling =
        |one: &Happened| matches!(one.what, What::Mark(mark) if is_telling(&run.marks[mark]));
    let (mut nodes, mut forgotten) = (Vec::new(), 0);
    clocks(run, &everything, telling, |one, clock| {
        let What::Mark(mark) = one.what else { return };
        let place = clock[one.lane];
        nodes.push(Node { mark, lane: one.lane, place, clock: clock.to_vec() });
        // Only the last ones can be in the graph, unless a violation asks for an earlier past.
        if nodes.len() > EVENTS_MAX * 20 {
            forgotten += nodes.drain(..EVENTS_MAX * 10).len();
        }
    });
    let broken = run.violations.last().and_then(|violation| {
        let violation = *violation as usize;
        nodes.iter().position(|node| node.mark == violation)
    });
    if let Some(broken) = broken {
        let last = std::mem::take(&mut nodes[broken].clock);
        nodes.truncate(broken + 1);
        nodes.retain(|node| node.place <= last[node.lane]);
        if let Some(node) = nodes.last_mut() {
            node.clock = last;
        }
    }
    // What is not in the violation's past was not asked for, and is not missed.
    let first = nodes.drain(..nodes.len().saturating_sub(EVENTS_MAX)).len() + forgotten;
    let of = if broken.is_some() { " before the violation" } else { "" };
    let events = || counted(first as u64, "event").replace('\u{a0}', " ");
    let left_out = (first > 0).then(|| format!("the first {}{of}", events()));
    (draw(run, &nodes, broken.is_some()).into_bytes(), left_out)
}

fn draw(run: &Diagram, nodes: &[Node], broken: bool) -> String {
    let name = format!("{} seed {}", run.scenario, run.seed);
    let label = match broken {
        true => format!("What happened before the violation in {name}"),
        false => format!("What happened before what in {name}"),
    };
    let mut text = format!("digraph {} {{\n  label={};\n", quoted(&name), quoted(&label));
    text += "  rankdir=LR; node [shape=box, style=\"rounded,filled\", fillcolor=white, \
             fontname=\"sans-serif\", fontsize=10]; edge [color=\"#59606e\"];\n";
    for (lane, of) in run.lanes.iter().enumerate() {
        let mine = nodes.iter().filter(|node| node.lane == lane);
        let mine: String = mine.map(|node| format!("m{}; ", node.mark)).collect();
        if !mine.is_empty() {
            let label = quoted(&of.name);
            let cluster =
                format!("\"cluster_{lane}\" {{ label={label}; color=\"#d9dde4\"; {mine}}}");
            writeln!(text, "  subgraph {cluster}").expect("text grows");
        }
    }
    for node in nodes {
        let mark = &run.marks[node.mark];
        let said = format!("{} {}\n{}", seconds(mark.at_nanos), mark.kind, mark.text);
        let colour = match mark.kind.as_str() {
            "violation" => ", fillcolor=\"#fdeadd\", color=\"#d55e00\"",
            "committed" => ", fillcolor=\"#e0f3ec\", color=\"#009e73\"",
            "crashed" => ", color=\"#d55e00\"",
            _ => "",
        };
        writeln!(text, "  m{} [label={}{colour}];", node.mark, quoted(&said)).expect("text grows");
    }
    for (place, node) in nodes.iter().enumerate() {
        for cause in causes(&nodes[..place], node) {
            writeln!(text, "  m{} -> m{};", cause.mark, node.mark).expect("text grows");
        }
    }
    text + "}\n"
}

/// Of each lane the last event before `node`, where no other of these came after it.
fn causes<'a>(earlier: &'a [Node], node: &Node) -> Vec<&'a Node> {
    let mut last: Vec<Option<&Node>> = vec![None; node.clock.len()];
    for one in earlier {
        if one.place <= node.clock[one.lane] {
            last[one.lane] = Some(one);
        }
    }
    let last: Vec<&Node> = last.into_iter().flatten().collect();
    let before = |a: &Node, b: &Node| a.mark != b.mark && a.place <= b.clock[a.lane];
    last.iter().filter(|one| !last.iter().any(|other| before(one, other))).copied().collect()
}

/// Text as Graphviz takes it.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{}\"", text.replace(char::is_control, " "))
}
