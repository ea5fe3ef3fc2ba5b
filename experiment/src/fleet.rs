//! One run of a row: the bots in a simulated network, and whether they end alike.

use std::{fmt, rc::Rc};

use contract::{NodeId, Span, Time};
use sequence::{EpochId, Interval, Operation};
use sim::{Control, Event, Settings, Stopped, View, Watch, World, choices::Seeded, network};

use crate::{
    bot::{Bot, Entry, Keeps, State},
    row::Row,
    sample::Sample,
};

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was run.
    pub row: Rc<Row>,
    /// Of every event of the run.
    pub fingerprint: u128,
    /// Virtual time, in nanoseconds.
    pub virtual_nanos: u64,
    /// By bot.
    pub samples: Vec<Vec<Sample>>,
    /// What the first bot delivered, in order: edits and renames.
    pub log: Vec<Entry>,
    /// The first bot's replica at each step.
    pub states: Vec<State>,
    /// Renames that came to bots which did not understand them in few bytes, and had to take them in full.
    pub asked: u64,
    /// Where all bots ended.
    pub end: End,
}

/// What replicas must agree in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What everybody reads.
    pub text: String,
    /// The epoch that all are in.
    pub epoch: EpochId,
    /// The identifiers of the text.
    pub intervals: Vec<Interval>,
}

impl Outcome {
    /// The operations of the log.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.log.iter().map(|entry| &entry.operation)
    }
}

/// Why a run came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// A bot could not go on, as one that is to rename an empty text: where all would have ended is not
    /// known, and nobody was seen to differ.
    Stopped(String),
    /// Nothing is under way any more, and replicas differ, or one lacks an edit.
    Diverged(String),
    /// Nobody waited for it any more.
    Interrupted,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(why) | Self::Diverged(why) => f.write_str(why),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// Looks at nothing, and stops the world where it says so.
struct Until<'a>(&'a dyn Fn() -> bool);

impl Watch<Bot> for Until<'_> {
    const DATAGRAMS: bool = false;

    fn event(&mut self, _: Time, _: Event<'_, Bot>, _: &View<'_, Bot>) -> Control {
        Control::Continue
    }

    fn has_enough(&self) -> bool {
        (self.0)()
    }
}

/// Runs `row` until nothing is under way any more.
///
/// Errors: a fragment that says who stopped and why, in what which bots differ, or what is missing.
pub fn run(row: &Row) -> Result<Outcome, Unfinished> {
    run_until(row, &|| false)
}

/// As [`run`], and ends early once `stop` says so, which is asked every few thousand events.
pub fn run_until(row: &Row, stop: &dyn Fn() -> bool) -> Result<Outcome, Unfinished> {
    let row = Rc::new(row.clone());
    let mut settings = Settings { fingerprint: true, ..Settings::default() };
    settings.network.default.latency = network::Latency::Uniform {
        min: Span::from_millis(row.latency.min_millis),
        max: Span::from_millis(row.latency.max_millis),
    };
    let nodes = row.replicas.get();
    let shared = Rc::clone(&row);
    let spawn = move |node: NodeId| {
        let keeps = if node.0 == 0 { Keeps::All } else { Keeps::Samples };
        Bot::new(node, Rc::clone(&shared), keeps)
    };
    let mut world = World::new(settings, Seeded::new(row.seed), spawn);
    (0..nodes).for_each(|node| world.add_node(NodeId(node), Time::ZERO));
    if world.run(Time::NEVER, &mut Until(stop)) == Stopped::ByWatch {
        return Err(Unfinished::Interrupted);
    }
    let bots = (0..nodes).map(|node| world.process(NodeId(node)).expect("no bot goes down"));
    let bots: Vec<&Bot> = bots.collect();
    let end = agreed(&row, &bots)?;
    Ok(Outcome {
        fingerprint: world.fingerprint(),
        virtual_nanos: world.now().as_nanos(),
        samples: bots.iter().map(|bot| bot.samples.clone()).collect(),
        log: bots[0].log.clone(),
        states: bots[0].states.clone(),
        asked: bots.iter().map(|bot| bot.asked).sum(),
        end,
        row,
    })
}

fn end_of(bot: &Bot) -> End {
    let replica = &bot.replica;
    End { text: replica.text(), epoch: replica.epoch(), intervals: replica.intervals() }
}

/// Where all bots ended.
///
/// Errors: one stood still, they did not end alike, or not all was delivered.
fn agreed(row: &Row, bots: &[&Bot]) -> Result<End, Unfinished> {
    let mut faults = bots.iter().filter_map(|bot| Some((bot.replica.site(), bot.fault.as_ref()?)));
    if let Some((site, fault)) = faults.next() {
        return Err(Unfinished::Stopped(format!("site {site} {fault}")));
    }
    let first = end_of(bots[0]);
    for bot in bots {
        bot.replica.check();
        let site = bot.replica.site();
        if bot.observed != row.operations.get() || bot.replica.waiting() > 0 {
            let waits = bot.replica.waiting();
            let why = format!("site {site} saw {} edits, and {waits} wait", bot.observed);
            return Err(Unfinished::Diverged(why));
        }
        let end = end_of(bot);
        let differs = [
            ("text", end.text != first.text),
            ("epoch", end.epoch != first.epoch),
            ("identifiers", end.intervals != first.intervals),
        ];
        if let Some((what, _)) = differs.into_iter().find(|(_, differs)| *differs) {
            return Err(Unfinished::Diverged(format!(
                "sites 1 and {site} diverge in their {what}"
            )));
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use sequence::{Identifier, Tuple};

    use super::*;
    use crate::{row::tests::SMALL, sample::When};

    fn outcome(text: &str) -> Outcome {
        run(&Row::parse("small", text).unwrap()).unwrap()
    }

    #[test]
    fn a_row_run_twice_gives_the_same_but_for_times() {
        let (one, two) = (outcome(SMALL), outcome(SMALL));
        assert_eq!((one.fingerprint, one.virtual_nanos), (two.fingerprint, two.virtual_nanos));
        assert_eq!((one.samples, one.end), (two.samples, two.end));
        let other = outcome(&SMALL.replace("seed = 7", "seed = 8"));
        assert_ne!((one.fingerprint, one.log.len()), (other.fingerprint, 0));
    }

    #[test]
    fn renames_of_a_step_are_concurrent_and_each_is_kept() {
        let outcome = outcome(SMALL);
        let renames: Vec<_> = outcome
            .operations()
            .filter_map(|operation| match operation {
                Operation::Rename { epoch, dot, .. } => Some((*epoch, *dot)),
                _ => None,
            })
            .collect();
        assert_eq!(renames.len(), 8);
        for pair in renames.chunks(2) {
            assert_eq!(pair[0].0, pair[1].0, "of one epoch");
            assert_ne!(pair[0].1, pair[1].1);
        }
        let last = outcome.samples[0].last().unwrap();
        assert_eq!((last.when, last.epochs), (When::Renamed, 9));
    }

    #[test]
    fn announced_epochs_let_all_bots_drop_what_went_before() {
        let collected = outcome(&SMALL.replace("\"never\"", "\"announced\""));
        for samples in &collected.samples {
            let dropped: Vec<_> =
                samples.iter().filter(|sample| sample.when == When::Collected).collect();
            assert_eq!(
                dropped.iter().map(|sample| sample.step).collect::<Vec<_>>(),
                [300, 600, 900, 1_200]
            );
            assert!(dropped.iter().all(|sample| sample.epochs == 1));
            assert!(dropped.iter().all(|sample| sample.bytes == sample.bytes_collected));
        }
    }

    #[test]
    fn without_renames_there_is_one_epoch_and_no_operation_more_than_edits() {
        let plain = outcome(SMALL.split("\n[renames]").next().unwrap());
        assert_eq!((plain.log.len(), plain.end.epoch), (1_200, EpochId::Origin));
    }

    #[test]
    fn a_bot_that_is_to_rename_an_empty_text_stops_and_is_said_to_diverge_from_nobody() {
        let row = SMALL.replace("every = 300", "every = 2");
        let row = row.replace("jump-percent = 5", "jump-percent = 0");
        // What it types goes again, until there is nothing to rename.
        let row = row.replace("full-chars = 400", "full-chars = 1");
        let row = row.replace("full-remove-percent = 50", "full-remove-percent = 100");
        let done = run(&Row::parse("empty", &row).unwrap()).map(drop);
        let Unfinished::Stopped(why) = done.unwrap_err() else { panic!("it stopped") };
        assert!(why.contains(" could not rename its text after "), "{why}");
        assert!(why.ends_with(" edits: there is nothing in it"), "{why}");
    }

    #[test]
    fn a_run_that_nobody_waits_for_ends_long_before_its_end() {
        let asked = std::cell::Cell::new(0);
        let stop = || asked.replace(asked.get() + 1) == 1;
        let long = SMALL.replace("operations = 1_200", "operations = 4_000_000");
        let long = long.replace("sample-every = 300", "sample-every = 40_000");
        let done = run_until(&Row::parse("long", &long).unwrap(), &stop).map(drop);
        assert_eq!((done, asked.get()), (Err(Unfinished::Interrupted), 2));
    }

    /// Alone, everything is stable at once (section A.8 of the research on sequences).
    #[test]
    fn a_bot_alone_drops_what_went_before_as_soon_as_it_renames() {
        let alone =
            SMALL.replace("\"never\"", "\"announced\"").replace("renamers = 2", "renamers = 1");
        let alone = outcome(&alone.replace("replicas = 4", "replicas = 1"));
        let dropped: Vec<_> = alone.samples[0]
            .iter()
            .filter(|sample| sample.when == When::Collected)
            .map(|sample| (sample.step, sample.epochs))
            .collect();
        assert_eq!(dropped, [(300, 1), (600, 1), (900, 1), (1_200, 1)]);
    }

    /// Messages travel longer than it takes to come to the next step.
    #[test]
    fn each_bot_samples_each_step_once_however_fast_steps_follow_each_other() {
        for collect in ["never", "announced"] {
            let fast = SMALL.replace("every = 300", "every = 20").replace("never", collect);
            let fast = outcome(&fast.replace("max-millis = 100", "max-millis = 2_000"));
            for samples in &fast.samples {
                let renamed = samples.iter().filter(|sample| sample.when == When::Renamed);
                let steps: Vec<u32> = renamed.map(|sample| sample.step).collect();
                assert_eq!(steps, (1..=60).map(|step| step * 20).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_bot_that_refuses_an_operation_is_named() {
        let row = Rc::new(Row::parse("small", SMALL).unwrap());
        let mut bot = Bot::new(NodeId(0), Rc::clone(&row), Keeps::Samples);
        let last = Tuple { position: 1, site: 9, clock: 0, offset: i32::MAX - 1 };
        let first = Identifier::new([last]).unwrap();
        bot.take_edit(&Operation::Insert { epoch: EpochId::Origin, first, text: "xyz".into() });
        let why = agreed(&row, &[&bot]).unwrap_err().to_string();
        assert!(why.starts_with("site 1 refused an operation after 0 edits: "), "{why}");
    }

    #[test]
    fn bots_that_end_otherwise_are_a_failure_that_names_them() {
        let row = Rc::new(Row::parse("small", SMALL).unwrap());
        let mut bots: Vec<Bot> =
            (0..2).map(|node| Bot::new(NodeId(node), Rc::clone(&row), Keeps::Samples)).collect();
        let differs = |why: &str| Err(Unfinished::Diverged(why.to_owned()));
        let told = |bots: &[Bot]| agreed(&row, &bots.iter().collect::<Vec<_>>()).map(|_| ());
        assert_eq!(told(&bots), differs("site 1 saw 0 edits, and 0 wait"));
        bots.iter_mut().for_each(|bot| bot.observed = 1_200);
        assert_eq!(told(&bots), Ok(()));
        bots[1].replica.insert(0, "x", &mut |_| 0).unwrap();
        assert_eq!(told(&bots), differs("sites 1 and 2 diverge in their text"));
        let inserted = bots[0].replica.insert(0, "x", &mut |_| 0);
        assert!(inserted.is_ok());
        assert_eq!(told(&bots), differs("sites 1 and 2 diverge in their identifiers"));
    }
}
