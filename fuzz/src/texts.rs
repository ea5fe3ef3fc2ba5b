//! Where a fuzzer of files begins: what lies in the tree, made short, and the words that such files have.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use harness::{
    choices::names::{FAMILIES, NAMED, SITES},
    scenario::{row, shape::schema},
};
use results::{
    Bound, Cell, Diagram, Failure, Fate, Injected, Lane, Mark, Message, Plan, Planned, Stretch,
    Tally, Timeline, Window, store::to_lines,
};
use serde_json::{Map, Value};

/// What a fuzzer begins with is no longer.
const SEED_BYTES_MAX: usize = 1024;
/// Words of a dictionary are no longer.
const WORD_BYTES_MAX: usize = 60;
/// What is asked for by those who ask for too much, or for less than nothing.
const AMOUNTS: [&str; 8] = [
    "-1",
    "4294967295",
    "4294967296",
    "1000000000000",
    "9223372036854775807",
    "18446744073709551615",
    "1e300",
    "307445734min",
];
/// Cases of each list of a vector file that are taken.
const CASES: usize = 2;

/// What `name` begins with.
pub(crate) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let texts = match name {
        "files_scenario" => scenarios(),
        "files_row" => rows(),
        "files_choices" => choices(),
        "files_vectors" => vectors(),
        "files_diagram" => diagrams(),
        "files_sweep" => sweeps(),
        "files_seeds" => vec!["# Seeds.\n7 # S6: n1 saw\n\n12\n".to_owned()],
        "files_rows" => edits(),
        "files_template" => templates(),
        _ => Vec::new(),
    };
    let texts = texts.into_iter().filter(|text| text.len() <= SEED_BYTES_MAX);
    texts.map(String::into_bytes).collect()
}

/// The words that files of the target `name` have; none where it tries no files.
pub(crate) fn words(name: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    match name {
        "files_scenario" => strings(&schema(), &mut words),
        "files_row" => strings(&row::schema(), &mut words),
        "files_choices" => {
            words.extend(SITES.map(|(_, name, _)| name.to_owned()));
            words.extend(NAMED.iter().map(|named| named.name.to_owned()));
            words.extend(FAMILIES.iter().map(|(_, name)| (*name).to_owned()));
        }
        _ => {}
    }
    if name.starts_with("files_") {
        words.extend(AMOUNTS.map(str::to_owned));
    }
    for seed in seeds(name) {
        let text = String::from_utf8(seed).expect("files are text");
        let apart = |one: char| one.is_whitespace() || "\"=,[]{}:()".contains(one);
        words.extend(text.split(apart).map(str::to_owned));
    }
    words.retain(|word| (2..=WORD_BYTES_MAX).contains(&word.len()));
    words
}

/// Every key and every text of `json`.
fn strings(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::String(text) => _ = found.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => {
            for (key, value) in map {
                found.insert(key.clone());
                strings(value, found);
            }
        }
        _ => {}
    }
}

/// The files in `folder` of the tree and below, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let below = |folder: &Path| {
        let entries = fs::read_dir(folder).expect("a folder of the tree");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths
    };
    let (mut found, mut left) =
        (Vec::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)]);
    while let Some(folder) = left.pop() {
        for path in below(&folder) {
            if path.is_dir() { left.push(path) } else { found.push(path) }
        }
    }
    found
}

fn named(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a file of the tree")
}

/// The scenarios of the tree without their comments.
fn scenarios() -> Vec<String> {
    let files = files("scenarios").into_iter().filter(|path| named(path, "toml"));
    let plain = |path: PathBuf| {
        let text = text(&path);
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| format!("{line}\n")).collect()
    };
    files.map(plain).collect()
}

/// The rows of the tree, and a small one.
fn rows() -> Vec<String> {
    let folders = ["scenarios/evaluation", "experiment/tests"];
    let files = folders.into_iter().flat_map(files).filter(|path| named(path, "toml"));
    files.map(|path| text(&path)).collect()
}

fn choices() -> Vec<String> {
    let lines = [
        "send n1->n4 #3 lost",
        "send n1->n4 #3 latency = 12300us, delayed = 5ms, duplicated, duplicate-latency = 1ns",
        "send n0->n1 #0 corrupted = 17",
        "persist n2 #9 latency = 2ms",
        "crash n3 #1 strikes",
        "pause n3 #0 strikes",
        "clock n3 #0 skew = 50ms, drift = -20 ppm",
        "partition #0 strikes",
        "clog #2 strikes",
        "op c2 #5 gap = 48ms, asked, kind = read",
        "swarm disk-damage on, scale = 0.354",
        "core n2 gone",
    ];
    let head = "format = 1\nscenario = \"a.toml\"\nscenario-hash = \"00\"\nseed = \"1\"\nbuild = \"x\"\n\
                fingerprint = \"00\"\nverdict = \"holds\"\nsettings = [\"fleet.nodes=5\"]\n";
    let broke =
        "[violation]\nsignature = \"00\"\ninvariant = \"S6\"\ntext = \"t\"\nshape = \"s\"\n";
    let listed = lines.map(|line| format!("  \"{line}\",\n")).concat();
    let recorded = format!("[recorded]\nchoices = [\n{listed}]\n");
    let digest = "[recorded]\ndigest = \"0123456789abcdef\"\nchoices = []\n";
    let whole = [format!("{head}{recorded}"), format!("{head}{broke}{digest}")];
    lines.map(str::to_owned).into_iter().chain([lines.join("\n")]).chain(whole).collect()
}

/// Bytes changed, put in, taken out and cut off, near the end of a file and further in front.
fn edits() -> Vec<String> {
    let far = ["\u{0}\u{0}", "\u{9}\u{0}", "\u{40}\u{1}", "\u{0}\u{c}"];
    let edit = |way| far.map(|from_end| format!("{way}{from_end}\u{7f}"));
    ["\u{0}", "\u{1}", "\u{2}", "\u{3}"].into_iter().flat_map(edit).collect()
}

/// The template of reports in pieces, each a template by itself.
fn templates() -> Vec<String> {
    let small = [
        "{{ title }}: {{ runs|count }} runs\n{% if verdict %}{{ verdict|length }}{% endif %}",
        "{% for one in scenarios %}{{ loop.index }} {{ one|tojson }}{% else %}none{% endfor %}",
        "{% set a = facts|first %}{{ a[0]|upper ~ a[-1]|default('-') }}{# a comment #}",
        "{{ scenarios|map(attribute='name')|list|sort|reverse }}{{ 7 // 2 + 1.5 > 2 and not x is defined }}",
        "{% filter upper %}{{ seeds|safe }}{% endfilter %}{{ facts|dictsort if facts is mapping }}",
    ];
    let lines = plots::TEMPLATE.lines().filter(|line| line.contains("{{") && !line.contains("{%"));
    small.into_iter().chain(lines).map(str::to_owned).collect()
}

/// A vector file of each of the shortest cases of each.
fn vectors() -> Vec<String> {
    let mut found = Vec::new();
    for path in files("tests/vectors").iter().filter(|path| named(path, "json")) {
        let whole: Map<String, Value> = serde_json::from_str(&text(path)).expect("it is JSON");
        for (key, list) in &whole {
            let Value::Array(cases) = list else { continue };
            let mut cases: Vec<&Value> = cases.iter().collect();
            cases.sort_by_key(|case| case.to_string().len());
            for case in cases.into_iter().take(CASES) {
                let mut short = Map::new();
                for kept in ["schema", "type", "params"] {
                    if let Some(value) = whole.get(kept) {
                        short.insert(kept.to_owned(), value.clone());
                    }
                }
                short.insert(key.clone(), vec![case.clone()].into());
                found.push(Value::Object(short).to_string());
            }
        }
    }
    found
}

fn diagrams() -> Vec<String> {
    let stretch = |kind: &str, from_nanos, to_nanos| Stretch {
        kind: kind.to_owned(),
        text: "1.0.0".to_owned(),
        from_nanos,
        to_nanos,
        sides: Vec::new(),
    };
    let lanes = ["n0", "n1"].map(|name| Lane {
        name: name.to_owned(),
        stretches: vec![stretch("release", 0, 7), stretch("down", 7, 9)],
        held: vec![(1, 2)],
    });
    let sent = |order: u64, fate| Message {
        to: 1,
        sent_nanos: order,
        sent_order: order,
        fate,
        kind: "app".to_owned(),
        release: "1.0.0".to_owned(),
        bytes: 9,
        ..Message::default()
    };
    let came = Message { arrived_nanos: Some(6), arrived_order: Some(6), ..sent(1, Fate::Held) };
    let lost = Message { dropped_nanos: Some(8), ..sent(2, Fate::Lost) };
    let mark = |order, lane, kind: &str| Mark {
        at_nanos: order,
        order,
        lane,
        kind: kind.to_owned(),
        text: "happened".to_owned(),
    };
    let whole = Diagram {
        format_version: results::FORMAT_VERSION,
        scenario: "a".to_owned(),
        seed: 7,
        repeat: "simctl run a.toml --seed 7".to_owned(),
        verdict: "violates S6".to_owned(),
        safety_ended_nanos: 7,
        ended_nanos: 9,
        lanes: lanes.to_vec(),
        marks: vec![mark(3, Some(1), "crashed"), mark(9, None, "violated")],
        messages: vec![came, lost],
        stretches: vec![Stretch { sides: vec![vec![0], vec![1]], ..stretch("split", 2, 5) }],
        violations: vec![1],
        left_out: vec!["4 messages".to_owned()],
        ..Diagram::default()
    };
    let bare = Diagram {
        lanes: lanes[..1]
            .iter()
            .map(|lane| Lane { stretches: Vec::new(), ..lane.clone() })
            .collect(),
        messages: Vec::new(),
        marks: whole.marks[..0].to_vec(),
        violations: Vec::new(),
        ..whole.clone()
    };
    let marked = Diagram { messages: Vec::new(), stretches: Vec::new(), ..whole.clone() };
    vec![whole.text(), bare.text(), marked.text()]
}

fn sweeps() -> Vec<String> {
    let scenario = "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 3\nruns = \"1.0.0\"\n";
    let set = |value: &str| Cell { settings: vec![("fleet.nodes".to_owned(), value.to_owned())] };
    let planned = Planned {
        name: "a".to_owned(),
        text: scenario.to_owned(),
        regress: vec![6, 90],
        cells: vec![set("3"), set("5")],
        ..Planned::default()
    };
    let plan = Plan {
        format_version: results::FORMAT_VERSION,
        seed_first: 4,
        seed_count: 9,
        shards: 2,
        scenarios: vec![planned],
        ..Plan::default()
    };
    let failure = Failure { scenario: "a".to_owned(), seed: 7, ..Failure::default() };
    let tally = Tally {
        scenario: "a".to_owned(),
        runs: 9,
        wanted: vec!["a-node-upgraded".to_owned()],
        goals: [("a-node-upgraded".to_owned(), 1)].into(),
        injectors: [("loss".to_owned(), Injected { configured: 1, attempted: 9, took_effect: 1 })]
            .into(),
        latency: [(255, 3), (511, 4)].into(),
        bounds: [("p99".to_owned(), Bound { percent: 99, nanos: 1, within: 2, of: 3 })].into(),
        ..Tally::default()
    };
    let timeline = Timeline { windows: vec![Window::default()], ..Timeline::default() };
    let plan = serde_json::to_string(&plan).expect("a plan is JSON");
    let asked = ["0..100", "random", "0123456789abcdef", "auto", "3/16"];
    let files = [
        ("0", plan),
        ("1", to_lines(&[failure.clone(), failure])),
        ("2", to_lines(&[tally])),
        ("3", to_lines(&[timeline])),
    ];
    let files = files.into_iter().map(|(head, text)| format!("{head}{text}"));
    files.chain(asked.map(|text| format!("4{text}"))).collect()
}
