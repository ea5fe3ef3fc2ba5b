//! Chrome's trace events as JSON: a track for each node, arrows for messages, counters for what is held.
//!
//! Sendings, arrivals and events are complete events of no length, to which arrows can be tied; what lasts
//! is asynchronous, for a pause may begin in one release and end in the next.
//! Source: "Trace Event Format", Google.

use results::Diagram;

/// Events, each written as one object.
struct Events(String);

impl Events {
    /// An event of phase `phase` with `rest` as further members, each with a comma in front.
    fn put(&mut self, phase: &str, lane: usize, at: u64, name: &str, rest: &str) {
        if !self.0.is_empty() {
            self.0 += ",\n";
        }
        let (whole, part) = (at / 1_000, at % 1_000);
        let (tid, name) = (lane + 1, text(name));
        self.0 += &format!(
            "{{\"ph\":\"{phase}\",\"pid\":1,\"tid\":{tid},\"ts\":{whole}.{part:03},\"name\":{name}{rest}}}"
        );
    }
}

pub(super) fn trace(run: &Diagram) -> String {
    let mut events = Events(String::new());
    let whole = run.lanes.len();
    let title = text(&format!("{} seed {}", run.scenario, run.seed));
    events.put("M", 0, 0, "process_name", &format!(",\"args\":{{\"name\":{title}}}"));
    for (lane, of) in run.lanes.iter().enumerate() {
        let name = text(&of.name);
        events.put("M", lane, 0, "thread_name", &format!(",\"args\":{{\"name\":{name}}}"));
        let order = format!(",\"args\":{{\"sort_index\":{lane}}}");
        events.put("M", lane, 0, "thread_sort_index", &order);
    }
    let mut id = 0;
    let of_lanes = run.lanes.iter().enumerate();
    let of_lanes = of_lanes.flat_map(|(lane, of)| of.stretches.iter().map(move |one| (lane, one)));
    for (lane, stretch) in of_lanes.chain(run.stretches.iter().map(|one| (whole, one))) {
        id += 1;
        let rest = format!(",\"cat\":{},\"id\":{id}", text(&stretch.kind));
        events.put("b", lane, stretch.from_nanos, &stretch.text, &rest);
        events.put("e", lane, stretch.to_nanos, &stretch.text, &rest);
    }
    for (lane, of) in run.lanes.iter().enumerate() {
        for (at, count) in &of.held {
            let name = format!("held {}", of.name);
            events.put("C", lane, *at, &name, &format!(",\"args\":{{\"held\":{count}}}"));
        }
    }
    for mark in &run.marks {
        let lane = mark.lane.map_or(whole, |lane| lane as usize);
        let said =
            format!(",\"dur\":0,\"cat\":\"event\",\"args\":{{\"text\":{}}}", text(&mark.text));
        events.put("X", lane, mark.at_nanos, &mark.kind, &said);
    }
    for (number, message) in run.messages.iter().enumerate() {
        let (from, to) = (message.from as usize, message.to as usize);
        let fate = serde_json::to_string(&message.fate).expect("a fate is a text");
        let (said, name) = (text(&message.text), format!("{} message", message.kind));
        let rest = format!(
            ",\"dur\":0,\"cat\":\"message\",\"args\":{{\"to\":{},\"fate\":{fate},\"bytes\":{},\"text\":{said}}}",
            text(&run.lanes[to].name),
            message.bytes
        );
        events.put("X", from, message.sent_nanos, &name, &rest);
        let Some(arrived) = message.arrived_nanos else { continue };
        let sender = text(&run.lanes[from].name);
        let rest = format!(
            ",\"dur\":0,\"cat\":\"message\",\"args\":{{\"from\":{sender},\"fate\":{fate}}}"
        );
        events.put("X", to, arrived, &name, &rest);
        let arrow = format!(",\"cat\":\"message\",\"id\":{number}");
        events.put("s", from, message.sent_nanos, &name, &arrow);
        events.put("f", to, arrived, &name, &format!("{arrow},\"bp\":\"e\""));
    }
    let other = format!("{{\"repeat\":{},\"verdict\":{}}}", text(&run.repeat), text(&run.verdict));
    format!(
        "{{\"traceEvents\":[\n{}\n],\n\"displayTimeUnit\":\"ms\",\"otherData\":{other}}}\n",
        events.0
    )
}

fn text(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}
