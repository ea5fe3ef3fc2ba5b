//! The version gate: which message the running code may see.
//!
//! A message of the running API class is delivered, an older one is converted or refused, a newer one
//! waits until the node upgrades. What the *receiver's* manifest lists as unversioned always passes.
//!
//! Knows nothing of time, the network, or what a payload means. One gate belongs to one release and
//! is replaced with it, never changed.
//! Source: "Dynamic Software Updates using CRDTs", section 3.3, algorithm 2. Departs from it: classes
//! are compared, not versions; a type that is newer within a class waits too; a message without a
//! path is refused, never delivered raw; the receiver decides what is unversioned.

use std::fmt;

use app::{Guarantee, Manifest};
use contract::{Encode, Malformed, Wire, wire::take_byte};

use crate::{
    bugs::{Bug, Bugs},
    path::{Adaptors, Path},
    release::{ApiClass, ApiClassError, Envelope, ReleaseId, Stamp},
};

/// Whether an application's messages are gated (R34).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GateMode {
    /// Messages pass by version.
    #[default]
    Enabled,
    /// Every message is delivered as it came.
    Disabled,
}

/// Decides for one release.
#[derive(Clone, Debug)]
pub struct Gate {
    release: ReleaseId,
    class: ApiClass,
    /// Ascending by tag.
    kinds: Vec<Kind>,
    adaptors: Adaptors,
    mode: GateMode,
    bugs: Bugs,
}

/// What the gate needs of a message type.
#[derive(Clone, Copy, Debug)]
struct Kind {
    tag: u32,
    versioned: bool,
    /// Whether the running version understands it already.
    understood: bool,
}

/// A message at the gate: now, or after it was held.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Its sender's release; `None` where it carries none.
    pub stamp: Option<&'a Stamp>,
    /// Its type.
    pub tag: u32,
    /// How it was sent.
    pub guarantee: Guarantee,
    /// Whether an earlier message of its stream is held.
    pub stream_is_held: bool,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The running code takes it as it is.
    Deliver,
    /// The running code takes it after these edges.
    Convert(Path),
    /// It waits.
    Hold(HoldReason),
    /// It will never be delivered here; its sender is told.
    Refuse(RefuseReason),
    /// It is newer and was sent at most once: dropped and counted.
    Shed,
}

/// Why a message waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldReason {
    /// It is of a newer API class than what runs.
    NewerClass,
    /// It is of the running class but of a type that a newer version brought.
    NewerTag,
    /// An earlier message of its stream waits.
    BehindHeld,
}

/// Why a message will never be delivered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefuseReason {
    /// It is of an older class from which no edges lead here.
    NoAdaptor,
    /// Its type is unknown here, and what runs is not older than its sender.
    UnknownTag,
    /// It carries no release although this type must.
    Unstamped,
    /// It claims the running release and another class.
    ForgedStamp,
}

impl Gate {
    /// The gate of the release in `envelope`, whose code declares `manifest`.
    ///
    /// Errors: [`ApiClassError`] where the manifest names a class that cannot be.
    pub fn new(
        envelope: &Envelope,
        manifest: &Manifest,
        mode: GateMode,
        bugs: Bugs,
    ) -> Result<Self, ApiClassError> {
        let version = &envelope.id.version;
        let version = [version.major, version.minor, version.patch];
        let kind = |message: &app::MessageType| Kind {
            tag: message.tag,
            versioned: message.versioned,
            understood: message.since <= version,
        };
        let mut kinds: Vec<_> = manifest.messages.iter().map(kind).collect();
        kinds.sort_by_key(|kind| kind.tag);
        Ok(Self {
            release: envelope.id.clone(),
            class: envelope.class.clone(),
            kinds,
            adaptors: Adaptors::new(envelope.id.clone(), &envelope.class, manifest)?,
            mode,
            bugs,
        })
    }

    /// The release it decides for.
    pub fn release(&self) -> &ReleaseId {
        &self.release
    }

    /// The API class it delivers without conversion.
    pub fn class(&self) -> &ApiClass {
        &self.class
    }

    /// The paths along which it has older messages converted.
    pub fn adaptors(&self) -> &Adaptors {
        &self.adaptors
    }

    /// What becomes of `arrival`. Pure: asking again says the same.
    pub fn judge(&self, arrival: &Arrival<'_>) -> Verdict {
        if self.mode == GateMode::Disabled {
            return Verdict::Deliver;
        }
        let kind = self.kind(arrival.tag);
        if kind.is_some_and(|kind| !kind.versioned) {
            return self.judge_unversioned(arrival);
        }
        let Some(stamp) = arrival.stamp else {
            return Verdict::Refuse(RefuseReason::Unstamped);
        };
        let verdict = if *stamp.class() == self.class {
            self.judge_same_class(stamp, kind.is_some_and(|kind| kind.understood))
        } else {
            self.judge_other_class(stamp)
        };
        match (verdict, arrival.guarantee) {
            (Verdict::Hold(_), Guarantee::AtMostOnce) => Verdict::Shed,
            (Verdict::Deliver | Verdict::Convert(_), Guarantee::ExactlyOnce)
                if arrival.stream_is_held =>
            {
                Verdict::Hold(HoldReason::BehindHeld)
            }
            (verdict, _) => verdict,
        }
    }

    fn kind(&self, tag: u32) -> Option<Kind> {
        self.kinds.binary_search_by_key(&tag, |kind| kind.tag).ok().map(|at| self.kinds[at])
    }

    fn judge_unversioned(&self, arrival: &Arrival<'_>) -> Verdict {
        if self.bugs.has(Bug::UnversionedHeld) {
            if arrival.stamp.is_some_and(|stamp| *stamp.id() > self.release) {
                return Verdict::Hold(HoldReason::NewerClass);
            }
            if arrival.stream_is_held {
                return Verdict::Hold(HoldReason::BehindHeld);
            }
        }
        Verdict::Deliver
    }

    fn judge_same_class(&self, stamp: &Stamp, understood: bool) -> Verdict {
        let newer = || *stamp.id() > self.release;
        if self.bugs.has(Bug::GateComparesFullVersions) && newer() {
            Verdict::Hold(HoldReason::NewerClass)
        } else if understood {
            self.as_it_is()
        } else if newer() {
            Verdict::Hold(HoldReason::NewerTag)
        } else {
            Verdict::Refuse(RefuseReason::UnknownTag)
        }
    }

    fn as_it_is(&self) -> Verdict {
        match self.adaptors.last() {
            Some(last) if self.bugs.has(Bug::ConvertEqualMajor) => Verdict::Convert(last.clone()),
            _ => Verdict::Deliver,
        }
    }

    fn judge_other_class(&self, stamp: &Stamp) -> Verdict {
        if *stamp.id() > self.release {
            Verdict::Hold(HoldReason::NewerClass)
        } else if *stamp.id() == self.release {
            Verdict::Refuse(RefuseReason::ForgedStamp)
        } else if let Some(path) = self.adaptors.path_from(stamp.class()) {
            Verdict::Convert(path.clone())
        } else {
            Verdict::Refuse(RefuseReason::NoAdaptor)
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewerClass => "it is of a newer API class",
            Self::NewerTag => "its type is newer than the running version",
            Self::BehindHeld => "an earlier message of its stream waits",
        })
    }
}

impl fmt::Display for RefuseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAdaptor => "no edges lead from its API class to the running one",
            Self::UnknownTag => "its type is unknown to the running release",
            Self::Unstamped => "it carries no release although its type must",
            Self::ForgedStamp => "it claims the running release with another API class",
        })
    }
}

impl Encode for HoldReason {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Wire for HoldReason {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(bytes)? {
            0 => Ok(Self::NewerClass),
            1 => Ok(Self::NewerTag),
            2 => Ok(Self::BehindHeld),
            _ => Err(Malformed("a reason to hold")),
        }
    }
}

impl Encode for RefuseReason {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Wire for RefuseReason {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match take_byte(bytes)? {
            0 => Ok(Self::NoAdaptor),
            1 => Ok(Self::UnknownTag),
            2 => Ok(Self::Unstamped),
            3 => Ok(Self::ForgedStamp),
            _ => Err(Malformed("a reason to refuse")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use app::{MessageType, Schema};
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing::{ADD, ADD_MANY, GOSSIP, PING, manifest, release};

    fn gate_with(running: &str, mode: GateMode, bugs: Bugs) -> Gate {
        let (_, envelope) = release(running);
        let flaw = running.split(' ').nth(1).unwrap_or_default();
        Gate::new(&envelope, &manifest(&envelope.id.version, flaw), mode, bugs).unwrap()
    }

    fn gate(running: &str) -> Gate {
        gate_with(running, GateMode::Enabled, Bugs::NONE)
    }

    /// The stamp that a toy release puts on its messages.
    fn stamp_of(text: &str) -> Stamp {
        let (_, envelope) = release(text);
        Stamp::new(envelope.id.clone(), envelope.class.clone())
    }

    fn arrival(stamp: Option<&Stamp>, tag: u32) -> Arrival<'_> {
        Arrival { stamp, tag, guarantee: Guarantee::ExactlyOnce, stream_is_held: false }
    }

    fn text(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Deliver => "deliver".to_owned(),
            Verdict::Convert(path) => format!("convert {path}"),
            Verdict::Hold(reason) => format!("hold {reason:?}"),
            Verdict::Refuse(reason) => format!("refuse {reason:?}"),
            Verdict::Shed => "shed".to_owned(),
        }
    }

    /// What `gate` says to an exactly-once message of each sender, for each tag.
    fn check(gate: &Gate, tags: &[u32], senders: &[&str], expected: Expect) {
        let mut said = String::new();
        for sender in senders {
            for tag in tags {
                let stamp = (*sender != "-").then(|| stamp_of(sender));
                let verdict = text(&gate.judge(&arrival(stamp.as_ref(), *tag)));
                said += &format!("{sender} #{tag}: {verdict}\n");
            }
        }
        expected.assert_eq(&said);
    }

    #[test]
    fn r10_an_equal_major_is_delivered_at_once() {
        check(
            &gate("1.4.0"),
            &[ADD, ADD_MANY],
            &["1.0.0", "1.3.9", "1.4.0", "1.9.0"],
            expect![[r#"
                1.0.0 #1: deliver
                1.0.0 #3: deliver
                1.3.9 #1: deliver
                1.3.9 #3: deliver
                1.4.0 #1: deliver
                1.4.0 #3: deliver
                1.9.0 #1: deliver
                1.9.0 #3: deliver
            "#]],
        );
    }

    #[test]
    fn r11_a_lower_major_is_converted_and_delivered() {
        check(
            &gate("2.0.0"),
            &[ADD, 77],
            &["1.0.0", "1.9.0"],
            expect![[r#"
            1.0.0 #1: convert 0
            1.0.0 #77: convert 0
            1.9.0 #1: convert 0
            1.9.0 #77: convert 0
        "#]],
        );
    }

    #[test]
    fn r11_a_lower_major_without_a_path_is_refused_never_delivered_raw() {
        check(
            &gate("2.0.0 no-edge"),
            &[ADD, ADD + 10],
            &["1.0.0"],
            expect![[r#"
            1.0.0 #1: refuse NoAdaptor
            1.0.0 #11: refuse NoAdaptor
        "#]],
        );
    }

    #[test]
    fn r12_a_higher_major_waits() {
        check(
            &gate("1.4.0"),
            &[ADD, 11, 77],
            &["2.0.0", "999.0.0"],
            expect![[r#"
            2.0.0 #1: hold NewerClass
            2.0.0 #11: hold NewerClass
            2.0.0 #77: hold NewerClass
            999.0.0 #1: hold NewerClass
            999.0.0 #11: hold NewerClass
            999.0.0 #77: hold NewerClass
        "#]],
        );
    }

    #[test]
    fn r12_at_most_once_a_higher_major_is_shed() {
        let stamp = stamp_of("2.0.0");
        let arrival = Arrival { guarantee: Guarantee::AtMostOnce, ..arrival(Some(&stamp), GOSSIP) };
        assert_eq!(gate("1.4.0").judge(&arrival), Verdict::Shed);
    }

    #[test]
    fn r14_an_unversioned_message_always_passes() {
        for running in ["1.0.0", "1.4.0", "2.0.0", "2.0.0 no-edge", "3.0.0"] {
            for sender in [None, Some(stamp_of("1.0.0")), Some(stamp_of("999.0.0"))] {
                for stream_is_held in [false, true] {
                    let arrival = Arrival { stream_is_held, ..arrival(sender.as_ref(), PING) };
                    assert_eq!(gate(running).judge(&arrival), Verdict::Deliver, "{running}");
                }
            }
        }
    }

    #[test]
    fn r15_a_message_that_skipped_a_major_takes_every_edge() {
        check(
            &gate("3.0.0"),
            &[ADD, ADD + 10],
            &["1.0.0", "2.0.0"],
            expect![[r#"
            1.0.0 #1: convert 0>1
            1.0.0 #11: convert 0>1
            2.0.0 #1: convert 1
            2.0.0 #11: convert 1
        "#]],
        );
    }

    #[test]
    fn a_type_that_a_newer_minor_brought_waits_for_it() {
        check(
            &gate("1.0.0"),
            &[ADD, ADD_MANY],
            &["1.0.0", "1.4.0", "0.9.0"],
            expect![[r#"
                1.0.0 #1: deliver
                1.0.0 #3: refuse UnknownTag
                1.4.0 #1: deliver
                1.4.0 #3: hold NewerTag
                0.9.0 #1: refuse NoAdaptor
                0.9.0 #3: refuse NoAdaptor
            "#]],
        );
        let early = gate("1.0.0 early");
        let newer = stamp_of("1.4.0");
        let verdict = early.judge(&arrival(Some(&newer), ADD_MANY));
        assert_eq!(verdict, Verdict::Hold(HoldReason::NewerTag), "knowing of a type is not enough");
    }

    #[test]
    fn a12_a_stripped_stamp_is_refused_and_a_forged_class_too() {
        let gate = gate("1.4.0");
        for tag in [ADD, 77] {
            assert_eq!(
                gate.judge(&arrival(None, tag)),
                Verdict::Refuse(RefuseReason::Unstamped),
                "{tag}"
            );
        }
        let forged = Stamp::new(gate.release().clone(), ApiClass::ZeroMinor(3));
        assert_eq!(
            gate.judge(&arrival(Some(&forged), ADD)),
            Verdict::Refuse(RefuseReason::ForgedStamp)
        );
    }

    #[test]
    fn r34_a_disabled_gate_delivers_everything_raw() {
        let gate = gate_with("1.4.0", GateMode::Disabled, Bugs::NONE);
        let (older, newer) = (stamp_of("0.9.0"), stamp_of("9.0.0"));
        for stamp in [None, Some(&older), Some(&newer)] {
            for tag in [ADD, PING, 77] {
                for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtMostOnce] {
                    let arrival = Arrival { stamp, tag, guarantee, stream_is_held: true };
                    assert_eq!(gate.judge(&arrival), Verdict::Deliver);
                }
            }
        }
    }

    /// A gate with one message type, understood from the first version on.
    fn plain(running: &str) -> Gate {
        let (_, envelope) = release(running);
        let mut manifest = manifest(&envelope.id.version, "");
        manifest.messages = vec![MessageType {
            tag: ADD,
            name: "add",
            since: [0, 0, 0],
            guarantee: Guarantee::ExactlyOnce,
            versioned: true,
            schema: Schema::Int,
        }];
        Gate::new(&envelope, &manifest, GateMode::Enabled, Bugs::NONE).unwrap()
    }

    #[test]
    fn minors_of_0_are_classes_and_so_is_each_pre_release() {
        check(
            &plain("0.3.1"),
            &[ADD],
            &["0.3.0", "0.3.9", "0.2.0", "0.4.0", "1.0.0", "0.3.0-rc.1"],
            expect![[r#"
                0.3.0 #1: deliver
                0.3.9 #1: deliver
                0.2.0 #1: refuse NoAdaptor
                0.4.0 #1: hold NewerClass
                1.0.0 #1: hold NewerClass
                0.3.0-rc.1 #1: refuse NoAdaptor
            "#]],
        );
        check(
            &plain("2.0.0-rc.2"),
            &[ADD],
            &["2.0.0-rc.2", "2.0.0-rc.1", "2.0.0-rc.3", "2.0.0", "1.0.0"],
            expect![[r#"
                2.0.0-rc.2 #1: deliver
                2.0.0-rc.1 #1: refuse NoAdaptor
                2.0.0-rc.3 #1: hold NewerClass
                2.0.0 #1: hold NewerClass
                1.0.0 #1: refuse NoAdaptor
            "#]],
        );
    }

    /// What must become of a message, said in numbers of lines alone.
    fn ruling(running: &str, sender: Option<&str>, arrival: &Arrival<'_>) -> String {
        let major = |text: &str| text[..1].parse::<u64>().unwrap();
        let minor = |text: &str| text[2..3].parse::<u64>().unwrap();
        let exactly_once = arrival.guarantee == Guarantee::ExactlyOnce;
        let waits = |why| if exactly_once { format!("hold {why}") } else { "shed".to_owned() };
        let passes = |how: String| {
            if exactly_once && arrival.stream_is_held { "hold BehindHeld".to_owned() } else { how }
        };
        if arrival.tag == PING {
            return "deliver".to_owned();
        }
        let Some(sender) = sender else { return "refuse Unstamped".to_owned() };
        let own = ADD + 10 * (major(running) as u32 - 1);
        let known = arrival.tag == own
            || arrival.tag == GOSSIP
            || (arrival.tag == ADD_MANY && major(running) == 1 && minor(running) >= 4);
        match major(sender).cmp(&major(running)) {
            Ordering::Greater => waits("NewerClass"),
            Ordering::Less if running.ends_with("no-edge") => "refuse NoAdaptor".to_owned(),
            Ordering::Less => {
                let edges: Vec<String> =
                    (major(sender)..major(running)).map(|line| (line - 1).to_string()).collect();
                passes(format!("convert {}", edges.join(">")))
            }
            Ordering::Equal if known => passes("deliver".to_owned()),
            Ordering::Equal if minor(sender) > minor(running) => waits("NewerTag"),
            Ordering::Equal => "refuse UnknownTag".to_owned(),
        }
    }

    #[test]
    fn r10_r11_r12_r14_r15_the_whole_grid_keeps_the_rulings() {
        let runnings =
            ["1.0.0", "1.0.0 early", "1.4.0", "2.0.0", "2.0.0 no-edge", "3.0.0", "3.1.0"];
        let senders = ["1.0.0", "1.3.0", "1.4.0", "1.9.0", "2.0.0", "2.2.0", "3.0.0", "9.0.0"];
        let mut judged = 0;
        for running in runnings {
            let gate = gate(running);
            for sender in senders.iter().copied().map(Some).chain([None]) {
                // The same code is the same release: a sender's flaw would make it another one.
                let same = sender.filter(|sender| running.starts_with(sender)).map(|_| running);
                let stamp = same.or(sender).map(stamp_of);
                for tag in [ADD, 11, 21, GOSSIP, ADD_MANY, PING, 77] {
                    for guarantee in [Guarantee::ExactlyOnce, Guarantee::AtMostOnce] {
                        for stream_is_held in [false, true] {
                            let stamp = stamp.as_ref();
                            let arrival = Arrival { stamp, tag, guarantee, stream_is_held };
                            let said = text(&gate.judge(&arrival));
                            let case = format!("{running} {sender:?} {arrival:?}");
                            assert_eq!(said, ruling(running, sender, &arrival), "{case}");
                            judged += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(judged, 7 * 9 * 7 * 2 * 2);
    }

    #[test]
    fn every_planted_bug_of_the_gate_changes_a_verdict() {
        let judge = |running, bug: Bug, sender, tag, stream_is_held| {
            let stamp = stamp_of(sender);
            let arrival = Arrival { stream_is_held, ..arrival(Some(&stamp), tag) };
            let verdict = gate_with(running, GateMode::Enabled, bug.into()).judge(&arrival);
            assert_ne!(verdict, gate(running).judge(&arrival), "{bug}");
            text(&verdict)
        };
        let full = Bug::GateComparesFullVersions;
        assert_eq!(judge("1.4.0", full, "1.9.0", ADD, false), "hold NewerClass");
        assert_eq!(judge("2.0.0", Bug::ConvertEqualMajor, "2.0.0", ADD + 10, false), "convert 0");
        let held = Bug::UnversionedHeld;
        assert_eq!(judge("1.4.0", held, "1.0.0", PING, true), "hold BehindHeld");
        assert_eq!(judge("1.4.0", held, "2.0.0", PING, false), "hold NewerClass");
    }

    #[test]
    fn reasons_read_back_as_written() {
        for reason in [HoldReason::NewerClass, HoldReason::NewerTag, HoldReason::BehindHeld] {
            let mut bytes = Vec::new();
            reason.encode(&mut bytes);
            assert_eq!(HoldReason::decode(&bytes), Ok(reason));
        }
        use RefuseReason::{ForgedStamp, NoAdaptor, UnknownTag, Unstamped};
        for reason in [NoAdaptor, UnknownTag, Unstamped, ForgedStamp] {
            let mut bytes = Vec::new();
            reason.encode(&mut bytes);
            assert_eq!(RefuseReason::decode(&bytes), Ok(reason));
        }
        assert!(HoldReason::decode(&[3]).is_err() && RefuseReason::decode(&[4]).is_err());
    }

    #[test]
    fn a_gate_says_whose_it_is() {
        let gate = gate("2.0.0");
        let stamp = stamp_of("2.0.0");
        assert_eq!((gate.release(), gate.class()), (stamp.id(), stamp.class()));
        assert_eq!(&gate.adaptors().release, stamp.id());
    }
}
