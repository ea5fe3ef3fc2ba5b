//! A run for the viewers that people have: Perfetto, Chrome's tracing page, ShiViz, Graphviz.
//!
//! One file each. Where a viewer cannot show all of a run, the most telling of it goes out and what was
//! left out is said.

use results::Diagram;

mod causal;
mod chrome;
mod dot;
mod perfetto;
mod shiviz;

/// For which viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Perfetto's protobuf of track events.
    Perfetto,
    /// The JSON of Chrome's tracing page, which many viewers read.
    Chrome,
    /// ShiViz: lines with vector clocks.
    Shiviz,
    /// Graphviz: what happened before what.
    Dot,
}

/// A run for a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// What of the run is not in it, in words.
    pub left_out: Vec<String>,
}

/// `run` for `viewer`. The same diagram gives the same bytes.
pub fn export(run: &Diagram, viewer: Viewer) -> Exported {
    let (bytes, left_out) = match viewer {
        Viewer::Perfetto => (perfetto::trace(run), None),
        Viewer::Chrome => (chrome::trace(run).into_bytes(), None),
        Viewer::Shiviz => shiviz::log(run),
        Viewer::Dot => dot::graph(run),
    };
    Exported { bytes, left_out: run.left_out.iter().cloned().chain(left_out).collect() }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use results::{Lane, Mark};

    use super::*;
    use crate::view::testing::small;

    fn text(viewer: Viewer) -> String {
        String::from_utf8(export(&small(), viewer).bytes).unwrap()
    }

    #[test]
    fn chrome_gets_json_with_a_track_for_each_node_and_arrows() {
        let trace: serde_json::Value = serde_json::from_str(&text(Viewer::Chrome)).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        let count = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
        let names = events.iter().filter(|event| event["name"] == "thread_name");
        assert_eq!(names.count(), 3);
        assert_eq!(count("b"), count("e"), "what begins ends");
        assert_eq!((count("s"), count("f")), (2, 2), "an arrow for each message that arrived");
        assert_eq!(count("C"), 2, "a counter follows the held messages");
        assert!(events.iter().all(|event| event["ph"] == "M" || event["ts"].is_number()));
    }

    #[test]
    fn shiviz_gets_vector_clocks() {
        expect_test::expect![[r#"
            (?<event>.*)\n(?<host>\S*) (?<clock>{.*})

            0.000000s command: a publisher hands over 2.0.0
            n0 {"n0":1}
            0.001000s sends to n1: 1 messages from number 1
            n0 {"n0":2}
            0.002000s sends to n2: lost on the way
            n0 {"n0":3}
            0.004000s receives from n0: 1 messages from number 1
            n1 {"n0":2,"n1":1}
            0.004000s held: message 1.1 waits </script><b>
            n1 {"n0":2,"n1":2}
            0.005000s sends to n2: 1 messages from number 7
            n1 {"n0":2,"n1":3}
            0.008000s receives from n1: 1 messages from number 7
            n2 {"n0":2,"n1":3,"n2":1}
            0.009000s violation: S6 at 0.009000s: \ "quoted"
            n2 {"n0":2,"n1":3,"n2":2}
        "#]]
        .assert_eq(&text(Viewer::Shiviz));
    }

    #[test]
    fn graphviz_gets_what_happened_before_the_violation() {
        expect_test::expect![[r##"
            digraph "major-bump seed 7" {
              label="What happened before the violation in major-bump seed 7";
              rankdir=LR; node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif", fontsize=10]; edge [color="#59606e"];
              subgraph "cluster_0" { label="n0"; color="#d9dde4"; m0; }
              subgraph "cluster_1" { label="n1"; color="#d9dde4"; m1; }
              subgraph "cluster_2" { label="n2"; color="#d9dde4"; m3; }
              m0 [label="0.000000s command\na publisher hands over 2.0.0"];
              m1 [label="0.004000s held\nmessage 1.1 waits </script><b>"];
              m3 [label="0.009000s violation\nS6 at 0.009000s: \\ \"quoted\"", fillcolor="#fdeadd", color="#d55e00"];
              m0 -> m1;
              m1 -> m3;
            }
        "##]]
        .assert_eq(&text(Viewer::Dot));
    }

    #[test]
    fn graphviz_reads_its_graph() {
        let mut dot = Command::new("dot");
        let dot = dot.arg("-Tcanon").stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut dot) = dot.spawn() else {
            eprintln!("skipped: Graphviz's dot is not installed");
            return;
        };
        dot.stdin.take().unwrap().write_all(text(Viewer::Dot).as_bytes()).unwrap();
        assert!(dot.wait_with_output().unwrap().status.success());
    }

    /// What the official classes read, field by field, is checked by ci/perfetto.py; this holds the bytes.
    #[test]
    fn perfetto_gets_the_bytes_that_its_own_classes_read() {
        let bytes = export(&small(), Viewer::Perfetto).bytes;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: Vec<&str> =
            hex.as_bytes().chunks(96).map(|line| std::str::from_utf8(line).unwrap()).collect();
        expect_test::expect_file!["export/golden.hex"].assert_eq(&(lines.join("\n") + "\n"));
    }

    #[test]
    fn the_official_classes_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("small.pftrace");
        std::fs::write(&file, export(&small(), Viewer::Perfetto).bytes).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ci/perfetto.py");
        let ran = Command::new("python3").args([script, "--no-fetch"]).arg(&file).output();
        match ran.as_ref().map(|ran| ran.status.code()) {
            Ok(Some(0)) => {}
            Err(_) | Ok(Some(77)) => {
                crate::testing::skipped("reading with Perfetto's classes, which are not installed");
            }
            Ok(_) => panic!("{}", String::from_utf8_lossy(&ran.unwrap().stderr)),
        }
    }

    #[test]
    fn what_a_viewer_cannot_show_is_left_out_from_the_beginning_and_counted() {
        let lane = |number| Lane { name: format!("n{number}"), ..Lane::default() };
        let mark = |order: u64| Mark {
            at_nanos: order,
            order,
            lane: Some(order as u32),
            kind: "committed".to_owned(),
            ..Mark::default()
        };
        let lanes = (0..3_000).map(lane).collect();
        let run = Diagram { lanes, marks: (0..1_000).map(mark).collect(), ..Diagram::default() };
        run.check().unwrap();
        let shiviz = export(&run, Viewer::Shiviz);
        assert!(shiviz.left_out[0].ends_with("and the first 334 other events"));
        let text = String::from_utf8(shiviz.bytes).unwrap();
        assert_eq!(text.lines().count(), 2 + 2 * 666);
        assert!(text.ends_with("n999 {\"n999\":1}\n"));
        let dot = export(&run, Viewer::Dot);
        assert_eq!(dot.left_out, ["the first 600 events"]);
        assert_eq!(String::from_utf8(dot.bytes).unwrap().matches("label=\"0.").count(), 400);
    }
}
