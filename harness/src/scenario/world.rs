//! The world that a scenario describes, as the simulator takes it.

use contract::{NodeId, Span, Time};
use sim::{
    clock, disk,
    fault::{self, Scheduled, SetClock},
    network,
};

use super::{
    Damage, Direction, Disk, Fault, Latency, Link, Loss, Network, Random, Scenario, Text,
    units::{Drift, Shift},
};

/// A swizzle has no occasion of its own, so the order in which links clear is fixed by its place in
/// the scenario, spread over the 32 bits that the simulator takes.
const SWIZZLE_LOT_STEP: u32 = 0x9e37_79b9;

impl Scenario {
    /// The world of this scenario. Crashes aimed at a phase of a switch are not in it: the runner
    /// orders them at their moment.
    ///
    /// Belief: the scenario was checked.
    pub fn world(&self, wire: sim::Wire, fingerprint: bool) -> sim::Settings {
        let faults = self.faults.iter().enumerate();
        let leaves = self.fleet.leaves.iter().map(|leave| Scheduled {
            at: Time::ZERO + *leave.at,
            fault: fault::Fault::Leave(fault::Leave { node: *leave.node }),
        });
        sim::Settings {
            network: network(&self.network),
            disk: disk::Settings {
                latency: self
                    .disk
                    .latency
                    .as_ref()
                    .map_or(disk::Settings::default().latency, latency),
            },
            clocks: clock::Settings {
                skew_max: self.clocks.skew.map_or(Span::ZERO, |skew| *skew),
                drift_ppm_max: self.clocks.drift.map_or(0, |drift| drift.ppm.unsigned_abs()),
            },
            faults: faults
                .filter_map(|(index, fault)| self.scheduled(index, fault))
                .chain(leaves)
                .collect(),
            profile: profile(&self.random, &self.disk),
            swarm: self.random.swarm,
            wire,
            fingerprint,
        }
    }

    /// Every node that is ever there, with when it joins, in order of their names.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, Time)> {
        self.named_nodes().filter(|(node, _)| self.has(*node))
    }

    /// As [`Scenario::nodes`], with those that are not there after all.
    pub fn named_nodes(&self) -> impl Iterator<Item = (NodeId, Time)> {
        let first = (0..self.fleet.nodes).map(|number| (NodeId(number), Time::ZERO));
        first.chain(self.fleet.joins.iter().map(|join| (*join.node, Time::ZERO + *join.at)))
    }

    /// Whether a node that is named is there.
    pub fn has(&self, node: NodeId) -> bool {
        !self.fleet.without.iter().any(|without| **without == node)
    }

    fn scheduled(&self, index: usize, fault: &Fault) -> Option<Scheduled> {
        let lasts = fault.window().map(|(from, until)| length(from, until));
        let at = match fault {
            Fault::Crash(crash) => *crash.at,
            Fault::Pause(pause) => *pause.at,
            Fault::ClockStep(step) => *step.at,
            Fault::ClockDrift(drift) => *drift.at,
            Fault::CrashIn(_) => return None,
            _ => fault.window()?.0,
        };
        let fault = match fault {
            Fault::Partition(_)
            | Fault::Isolate(_)
            | Fault::Bridge(_)
            | Fault::Ring(_)
            | Fault::Cut(_) => self.partition(fault, lasts)?,
            Fault::Clog(clog) => fault::Fault::Clog(fault::Clog {
                from: clog.sender.map(|node| *node),
                to: clog.receiver.map(|node| *node),
                lasts,
            }),
            Fault::Swizzle(swizzle) => swizzled(&swizzle.nodes, lasts?, index),
            Fault::Crash(crash) => fault::Fault::Crash(fault::Crash {
                node: *crash.node,
                down_for: Some(*crash.down),
                damage: damage(crash.disk),
            }),
            Fault::CrashIn(_) => return None,
            Fault::Pause(pause) => {
                fault::Fault::Pause(fault::Pause { node: *pause.node, lasts: *pause.lasts })
            }
            Fault::ClockStep(step) => {
                fault::Fault::SetClock(SetClock::Step { node: *step.node, step: stepped(*step.by) })
            }
            Fault::ClockDrift(drift) => {
                let Drift { ppm } = *drift.drift;
                fault::Fault::SetClock(SetClock::Drift { node: *drift.node, ppm })
            }
            Fault::Lossy(lossy) => {
                let link = Link { loss: Some(lossy.loss.clone()), ..Link::default() };
                self.degraded(lossy.sender, lossy.receiver, link, lasts)
            }
            Fault::Slow(slow) => {
                let link = Link { latency: Some(slow.latency.clone()), ..Link::default() };
                self.degraded(slow.sender, slow.receiver, link, lasts)
            }
        };
        Some(Scheduled { at: Time::ZERO + at, fault })
    }

    fn partition(&self, fault: &Fault, lasts: Option<Span>) -> Option<fault::Fault> {
        use network::Shape;
        let (shape, way) = match fault {
            Fault::Partition(partition) => {
                let groups = partition.groups.iter().map(|group| plain(group)).collect();
                (Shape::Split(groups), partition.direction)
            }
            Fault::Isolate(isolate) => (Shape::Isolate(*isolate.node), isolate.direction),
            Fault::Bridge(bridge) => {
                let (left, right) = (plain(&bridge.left), plain(&bridge.right));
                (Shape::Bridge { left, right, bridge: *bridge.node }, bridge.direction)
            }
            Fault::Ring(ring) => {
                let all = || self.nodes().map(|(node, _)| node).collect();
                (Shape::Ring(ring.nodes.as_deref().map_or_else(all, plain)), ring.direction)
            }
            Fault::Cut(cut) => (Shape::Cut { from: *cut.sender, to: *cut.receiver }, cut.direction),
            _ => return None,
        };
        let direction = match way {
            Direction::Both => network::Direction::Both,
            Direction::Out => network::Direction::Out,
            Direction::In => network::Direction::In,
        };
        Some(fault::Fault::Partition(fault::Partition { shape, direction, lasts }))
    }

    fn degraded(
        &self,
        sender: Option<Text<NodeId>>,
        receiver: Option<Text<NodeId>>,
        link: Link,
        lasts: Option<Span>,
    ) -> fault::Fault {
        let (from, to) = (sender.map(|node| *node), receiver.map(|node| *node));
        let link = overridden(&network(&self.network).default, &link);
        fault::Fault::Degrade(fault::Degrade { links: network::Override { from, to, link }, lasts })
    }
}

/// What a crash does to the disk, as the simulator takes it.
pub fn damage(damage: Damage) -> disk::Damage {
    let in_flight = match damage {
        Damage::Kept => disk::InFlight::Kept,
        Damage::Torn => disk::InFlight::Torn,
        Damage::Lost | Damage::LostTail(_) | Damage::Rotten(_) | Damage::Amnesia => {
            disk::InFlight::Lost
        }
    };
    disk::Damage {
        in_flight,
        lost_tail: if let Damage::LostTail(records) = damage { records } else { 0 },
        rotten: if let Damage::Rotten(record) = damage { Some(record) } else { None },
        amnesia: damage == Damage::Amnesia,
    }
}

fn plain<C: FromIterator<NodeId>>(nodes: &[Text<NodeId>]) -> C {
    nodes.iter().map(|node| **node).collect()
}

fn length(from: Span, until: Span) -> Span {
    Span::from_nanos(until.as_nanos().saturating_sub(from.as_nanos()))
}

/// Half of the time goes into clogging and clearing one by one, half into standing still.
fn swizzled(nodes: &[Text<NodeId>], lasts: Span, index: usize) -> fault::Fault {
    let steps = 2 * nodes.len().saturating_sub(1).max(1) as u64;
    let gap = Span::from_nanos(lasts.as_nanos() / 2 / steps);
    let hold = Span::from_nanos(lasts.as_nanos() - gap.as_nanos() * steps);
    let lot = SWIZZLE_LOT_STEP.wrapping_mul(index as u32 + 1);
    fault::Fault::Swizzle(fault::Swizzle { nodes: plain(nodes), gap, hold, lot })
}

fn stepped(Shift { nanos }: Shift) -> clock::Step {
    let by = Span::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { clock::Step::Back(by) } else { clock::Step::Forward(by) }
}

fn profile(random: &Random, disk: &Disk) -> fault::Profile {
    let risk = disk::Risk {
        torn_ppm: disk.torn.ppm,
        kept_ppm: disk.kept.ppm,
        lost_tail_ppm: disk.lost_tail.map_or(0, |tail| tail.share.ppm),
        lost_tail_max: disk.lost_tail.map_or(0, |tail| tail.records),
        rotten_ppm: disk.rotten.ppm,
        amnesia_ppm: disk.amnesia.ppm,
    };
    fault::Profile {
        crashes: random.crash.map(|family| fault::Crashes {
            every: *family.every,
            down_min: *family.down.min,
            down_max: *family.down.max,
            risk,
        }),
        pauses: random.pause.map(|family| fault::Pauses {
            every: *family.every,
            lasts_min: *family.lasts.min,
            lasts_max: *family.lasts.max,
        }),
        clock_steps: random
            .clock_step
            .map(|family| fault::ClockSteps { every: *family.every, by_max: *family.by }),
        partitions: random.partition.map(|family| fault::Partitions {
            every: *family.every,
            lasts_min: *family.lasts.min,
            lasts_max: *family.lasts.max,
            one_way_ppm: family.one_way.ppm,
        }),
        clogs: random.clog.map(|family| fault::Clogs {
            every: *family.every,
            lasts_min: *family.lasts.min,
            lasts_max: *family.lasts.max,
            swizzle_ppm: family.swizzle.ppm,
        }),
    }
}

/// What the scenario says of all links, and of some. An override starts from those before it that
/// match the same links or more, so that it need state only what differs.
fn network(network: &Network) -> network::Settings {
    let stated = Link {
        latency: network.latency.clone(),
        loss: network.loss.clone(),
        duplicate: network.duplicate,
        reorder: network.reorder,
        corrupt: network.corrupt,
        bandwidth: network.bandwidth,
        ..Link::default()
    };
    let default = overridden(&network::Link::default(), &stated);
    let covers = |wide: Option<Text<NodeId>>, narrow| wide.is_none() || wide == narrow;
    let overrides = network.links.iter().enumerate().map(|(index, link)| {
        let before = network.links[..index].iter().filter(|wide| {
            covers(wide.sender, link.sender) && covers(wide.receiver, link.receiver)
        });
        let base = before.fold(default.clone(), |base, wide| overridden(&base, wide));
        network::Override {
            from: link.sender.map(|node| *node),
            to: link.receiver.map(|node| *node),
            link: overridden(&base, link),
        }
    });
    network::Settings { overrides: overrides.collect(), default }
}

/// `base` with what `link` states in its place.
fn overridden(base: &network::Link, link: &Link) -> network::Link {
    let mut made = base.clone();
    if let Some(stated) = &link.latency {
        made.latency = latency(stated);
    }
    if let Some(loss) = &link.loss {
        made.loss = match loss {
            Loss::None => network::Loss::None,
            Loss::Independent(share) => network::Loss::Independent { ppm: share.ppm },
            Loss::Bursty(bursty) => network::Loss::Bursty {
                bad_ppm: bursty.enter.ppm,
                good_ppm: bursty.leave.ppm,
                loss_good_ppm: bursty.outside.ppm,
                loss_bad_ppm: bursty.inside.ppm,
            },
        };
    }
    if let Some(share) = link.duplicate {
        made.duplicate_ppm = share.ppm;
    }
    if let Some(reorder) = link.reorder {
        (made.reorder_ppm, made.reorder_by) = (reorder.share.ppm, *reorder.by);
    }
    if let Some(share) = link.corrupt {
        made.corrupt_ppm = share.ppm;
    }
    if let Some(capacity) = link.bandwidth {
        made.bandwidth = Some(network::Bandwidth {
            bits_per_second: capacity.rate.bits,
            queue_bytes: capacity.queue.bytes,
        });
    }
    made
}

fn latency(latency: &Latency) -> network::Latency {
    match latency {
        Latency::Constant(span) => network::Latency::Constant(**span),
        Latency::Uniform(uniform) => {
            network::Latency::Uniform { min: *uniform.min, max: *uniform.max }
        }
        Latency::Exponential(exponential) => network::Latency::Exponential {
            min: *exponential.min,
            mean: *exponential.mean,
            max: *exponential.max,
        },
        Latency::LogNormal(normal) => network::Latency::LogNormal {
            median: *normal.median,
            sigma_milli: normal.sigma.milli,
            max: *normal.max,
        },
        Latency::Pareto(pareto) => network::Latency::Pareto {
            min: *pareto.min,
            alpha_milli: pareto.alpha.milli,
            max: *pareto.max,
        },
        Latency::Bimodal(bimodal) => network::Latency::Bimodal {
            fast: *bimodal.fast,
            slow: *bimodal.slow,
            slow_ppm: bimodal.slow_share.ppm,
        },
        Latency::Table(steps) => network::Latency::Table(
            steps
                .iter()
                .map(|step| network::Weighted { weight: step.share.ppm, latency: *step.latency })
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn world(rest: &str) -> sim::Settings {
        let text = format!(
            "about = \"a\"\napp = \"counter\"\n[fleet]\nnodes = 5\nruns = \"1.4.0\"\n{rest}"
        );
        let scenario = Scenario::parse(Path::new("s.toml"), text).expect("a good scenario");
        scenario.world(sim::Wire::Typed, false)
    }

    #[test]
    fn a_link_states_only_what_differs() {
        let world = world(
            "[network]\nloss = { independent = \"2%\" }\nduplicate = \"1%\"\n\
             [[network.link]]\nsender = \"n0\"\nduplicate = \"3%\"\n\
             [[network.link]]\nsender = \"n0\"\nreceiver = \"n1\"\nloss = \"none\"\n\
             [[network.link]]\nreceiver = \"n2\"\ncorrupt = \"1%\"\n",
        );
        let links = &world.network.overrides;
        assert_eq!(links[0].link.loss, network::Loss::Independent { ppm: 20_000 });
        assert_eq!(
            (links[1].link.duplicate_ppm, &links[1].link.loss),
            (30_000, &network::Loss::None)
        );
        assert_eq!((links[2].link.duplicate_ppm, links[2].link.corrupt_ppm), (10_000, 10_000));
    }

    #[test]
    fn a_swizzle_takes_as_long_as_its_window() {
        let world = world(
            "[[fault]]\n[fault.swizzle]\nnodes = [\"n0\", \"n1\", \"n2\"]\nfrom = \"1s\"\nuntil = \"4s\"\n",
        );
        let fault::Fault::Swizzle(swizzle) = &world.faults[0].fault else { panic!("a swizzle") };
        let moves = swizzle.gap.saturating_mul(4);
        assert_eq!(moves + swizzle.hold, Span::from_secs(3));
    }

    #[test]
    fn a_window_becomes_a_beginning_and_a_length() {
        let world = world(
            "[[fault]]\n[fault.partition]\ngroups = [[\"n0\"], [\"n1\"]]\nfrom = \"1s\"\n\
             until = \"4s\"\ndirection = \"out\"\n",
        );
        assert_eq!(world.faults[0].at, Time::from_nanos(1_000_000_000));
        let fault::Fault::Partition(partition) = &world.faults[0].fault else {
            panic!("a partition")
        };
        assert_eq!(partition.lasts, Some(Span::from_secs(3)));
        assert_eq!(partition.direction, network::Direction::Out);
    }
}
