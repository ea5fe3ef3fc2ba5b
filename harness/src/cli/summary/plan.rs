//! What a run set out to do: the scenario in words.

use std::{collections::BTreeMap, fmt::Write};

use contract::NodeId;

use super::{
    super::words::{counted, time},
    Page,
};
use crate::{
    outcome::Outcome,
    scenario::{Core, Latency, Loss, Network, Release, Rollout, Scenario, Text, Workload},
};

/// Scripted faults that are told one by one; the others are counted.
const FAULTS_MAX: usize = 8;

pub(super) fn tell(page: &mut Page, scenario: &Scenario, outcome: &Outcome) {
    fleet(page, scenario);
    for release in &scenario.releases {
        page.line("release", &released(release));
    }
    workload(page, scenario);
    page.list("network", &network(&scenario.network));
    faults(page, scenario, outcome);
    let core = match scenario.phases.core {
        Core::All => String::new(),
        Core::Share(_) => {
            format!(", {} of which are left then", counted(outcome.core.len() as u64, "node"))
        }
    };
    let (safety, liveness) = (time(*scenario.phases.safety), time(*scenario.phases.liveness));
    page.line(
        "phases",
        &format!("{safety} with faults, then at most {liveness} to converge without{core}"),
    );
}

fn fleet(page: &mut Page, scenario: &Scenario) {
    let fleet = &scenario.fleet;
    let runs = fleet.runs.as_ref().map_or_else(
        || format!("wait for a first release of {}", scenario.app),
        |version| format!("run {} {version}", scenario.app),
    );
    let mut text = format!("{} {runs}", counted(founders(scenario), "node"));
    for join in fleet.joins.iter().filter(|join| scenario.has(*join.node)) {
        let with = join.runs.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        write!(text, "; {} joins at {} with {with}", join.node, join.at)
            .expect("a string takes everything");
    }
    for leave in &fleet.leaves {
        write!(text, "; {} leaves for ever at {}", leave.node, leave.at)
            .expect("a string takes everything");
    }
    for retire in &fleet.retires {
        write!(text, "; {} is retired at {} by {}", retire.node, retire.at, retire.by)
            .expect("a string takes everything");
    }
    let trust = fleet.trust;
    page.line("fleet", &format!("{text}; {} of {} keys must sign", trust.threshold, trust.keys));
    let protocol = &scenario.protocol;
    if !protocol.plant.is_empty() {
        page.list("planted bugs", &protocol.plant);
    }
    if protocol.gate == Some(false) {
        page.line("gate", "off");
    }
}

fn released(release: &Release) -> String {
    let mut text = release.version.to_string();
    if let Some(variant) = &release.variant {
        text += &format!(" ({variant})");
    }
    text += &format!(" at {} on {}", release.at, release.node);
    match &release.rollout {
        Rollout::AtOnce => {}
        Rollout::Rolling(rolling) => {
            let batch = counted(u64::from(rolling.batch), "node");
            text += &format!(", {batch} every {}", rolling.gap)
        }
        Rollout::Canary(canary) => {
            text +=
                &format!(", {} of the nodes first, the others {} later", canary.share, canary.soak)
        }
    }
    if let Some(code) = release.code {
        text += &format!(", {code} of code");
    }
    if let Some(forged) = release.forged {
        // The word of the scenario is the word of the summary.
        let name = serde_json::to_value(forged).expect("a forgery is a word");
        text += &format!(", forged: {}", name.as_str().unwrap_or_default());
    }
    text
}

/// How many nodes are there from the start.
fn founders(scenario: &Scenario) -> u64 {
    scenario.nodes().filter(|(_, from)| *from == contract::Time::ZERO).count() as u64
}

fn workload(page: &mut Page, scenario: &Scenario) {
    let Some(workload) = &scenario.workload else { return };
    page.line("clients", &clients(workload, scenario));
    for later in &workload.later {
        let from = format!("from {}", time(*later.from));
        page.line(&from, &format!("clients of {}: {}", later.version, mix(&later.mix)));
    }
}

fn clients(workload: &Workload, scenario: &Scenario) -> String {
    let at = |clients: &Vec<Text<NodeId>>| clients.iter().filter(|at| scenario.has(***at)).count();
    let count = workload.clients.as_ref().map_or(founders(scenario), |clients| at(clients) as u64);
    let pace = match (workload.rate, workload.think) {
        (Some(rate), _) => format!("{rate} each"),
        (None, Some(think)) => format!("thinking {think} each"),
        (None, None) => String::new(),
    };
    format!("{}, {pace}: {}", counted(count, "client"), mix(&workload.mix))
}

fn mix(mix: &BTreeMap<String, u32>) -> String {
    let mix: Vec<String> = mix.iter().map(|(kind, weight)| format!("{weight} {kind}")).collect();
    if mix.is_empty() { "every operation equally".to_owned() } else { mix.join(" : ") }
}

fn network(network: &Network) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(network.latency.as_ref().map(latency));
    match &network.loss {
        None | Some(Loss::None) => {}
        Some(Loss::Independent(share)) => parts.push(format!("{share} lost")),
        Some(Loss::Bursty(bursty)) => {
            parts.push(format!("{} lost, {} in bursts", bursty.outside, bursty.inside))
        }
    }
    parts.extend(network.duplicate.map(|share| format!("{share} duplicated")));
    parts.extend(
        network.reorder.map(|reorder| format!("{} overtaken by {}", reorder.share, reorder.by)),
    );
    parts.extend(network.corrupt.map(|share| format!("{share} corrupted")));
    parts.extend(
        network
            .bandwidth
            .map(|capacity| format!("{} with a queue of {}", capacity.rate, capacity.queue)),
    );
    if !network.links.is_empty() {
        let verb = if network.links.len() == 1 { "differs" } else { "differ" };
        parts.push(format!("{} that {verb}", counted(network.links.len() as u64, "link")));
    }
    parts
}

fn latency(latency: &Latency) -> String {
    match latency {
        Latency::Constant(span) => format!("{span}"),
        Latency::Uniform(uniform) => format!("{} to {}", uniform.min, uniform.max),
        Latency::Exponential(exponential) => format!("exponential around {}", exponential.mean),
        Latency::LogNormal(normal) => {
            format!("log-normal around {}, up to {}", normal.median, normal.max)
        }
        Latency::Pareto(pareto) => format!("Pareto from {}, up to {}", pareto.min, pareto.max),
        Latency::Bimodal(bimodal) => {
            format!("{}, {} of them {}", bimodal.fast, bimodal.slow_share, bimodal.slow)
        }
        Latency::Table(steps) => format!("from a table of {} steps", steps.len()),
    }
}

fn faults(page: &mut Page, scenario: &Scenario, outcome: &Outcome) {
    let scheduled = scenario.world(sim::Wire::Typed, false).faults;
    let mut told: Vec<String> = scheduled
        .iter()
        .take(FAULTS_MAX)
        .map(|one| format!("{} at {}", one.fault, time(one.at.since(contract::Time::ZERO))))
        .collect();
    if scheduled.len() > FAULTS_MAX {
        told.push(format!("{} more", scheduled.len() - FAULTS_MAX));
    }
    told.extend(scenario.faults.iter().filter_map(|fault| match fault {
        crate::scenario::Fault::CrashIn(crash) => {
            let node = crash.node.map_or_else(|| "some node".to_owned(), |node| node.to_string());
            let times =
                if crash.times == 1 { String::new() } else { format!(" {} times", crash.times) };
            Some(format!("{node} crashes in {:?}{times}", crash.phase).to_lowercase())
        }
        _ => None,
    }));
    page.list("faults", &told);
    let written = scenario.world(sim::Wire::Typed, false).profile;
    let profile = outcome.swarm.as_ref().unwrap_or(&written);
    let of_themselves = profiled(profile);
    if !of_themselves.is_empty() {
        page.list("of themselves", &of_themselves);
    } else if outcome.swarm.is_some() {
        page.line("of themselves", "this seed drew none");
    }
}

/// Each family that strikes at random, and how often.
fn profiled(profile: &sim::fault::Profile) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(
        profile
            .crashes
            .as_ref()
            .map(|family| format!("a node crashes every {}", time(family.every))),
    );
    parts.extend(
        profile.pauses.as_ref().map(|family| format!("a node pauses every {}", time(family.every))),
    );
    parts.extend(
        profile
            .clock_steps
            .as_ref()
            .map(|family| format!("a clock jumps every {}", time(family.every))),
    );
    parts.extend(
        profile
            .partitions
            .as_ref()
            .map(|family| format!("the network splits every {}", time(family.every))),
    );
    parts.extend(
        profile.clogs.as_ref().map(|family| format!("a link clogs every {}", time(family.every))),
    );
    parts
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn who_is_there_is_told_and_what_clients_ask_for_later() {
        let text = "about = \"a\"\napp = \"notes\"\n[fleet]\nnodes = 4\nruns = \"1.1.0\"\n\
                    without = [\"n1\"]\n[workload]\nrate = \"3/s\"\nclients = [\"n0\", \"n1\"]\n\
                    mix = { insert = 5 }\n[[workload.later]]\nversion = \"2.0.0\"\nfrom = \"4s\"\n\
                    mix = { append = 2, rename = 1 }\n[[release]]\nversion = \"2.0.0\"\nat = \"1s\"\n\
                    node = \"n0\"\n";
        let scenario = Scenario::parse(Path::new("s.toml"), text.to_owned());
        let scenario = scenario.unwrap_or_else(|rejected| panic!("{}", rejected.rendered()));
        let mut page = Page(String::new());
        fleet(&mut page, &scenario);
        workload(&mut page, &scenario);
        for said in [
            "3 nodes run notes 1.1.0;",
            "1 client, 3/s each: 5 insert\n",
            "from 4s        clients of 2.0.0: 2 append : 1 rename\n",
        ] {
            assert!(page.0.contains(said), "{said}: {}", page.0);
        }
    }
}
