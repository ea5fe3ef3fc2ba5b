//! What an honest replica, layer, app or node writes: where the fuzzer begins.

use std::{collections::BTreeSet, ffi::OsString, fs, path::PathBuf, sync::Arc};

use causal::{Broadcast, Clock, Digest, Dot, Limits, Origin, Range};
use contract::{Encode, NodeId};
use sequence::{Naming, Operation, Options, Sequence, Writer};
use upgrade::{
    bugs::Bugs,
    hold::{Hold, Limits as HoldLimits},
    release::Stamp,
};

#[cfg(feature = "files")]
use super::texts;
use super::{apps, broadcast::Word, nodes, sequences::known, upgrades::release};

/// Bytes to begin with on the target `name`; none where noise does as well.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    match name {
        "sequence_snapshot" => snapshots(),
        "sequence_messages" => messages(),
        "sequence_renames" => renames(),
        "app_values" => apps::value_seeds(),
        "app_states" => apps::state_seeds(),
        "causal_wire" => causal_wire(),
        "causal_state" => causal_states(),
        "upgrade_wire" => upgrade_wire(),
        "replica_datagrams" => nodes::datagram_seeds(),
        "replica_journal" => nodes::journal_seeds(),
        "sequence_operations" | "sequence_fleet" | "app_steps" | "causal_layer" => noise(),
        #[cfg(feature = "files")]
        _ => texts::seeds(name),
        #[cfg(not(feature = "files"))]
        _ => Vec::new(),
    }
}

/// Writes what the fuzzer of `name` begins with into `folder`, where there is one: inputs into `seeds`, and into
/// `words` those that its files have.
pub fn begin(name: &str, folder: Option<OsString>) {
    let Some(folder) = folder.map(PathBuf::from) else { return };
    let inputs = folder.join("seeds");
    fs::create_dir_all(&inputs).expect("the folder can be written");
    for (at, seed) in seeds(name).into_iter().enumerate() {
        fs::write(inputs.join(format!("seed-{at}")), seed).expect("the folder can be written");
    }
    #[cfg(feature = "files")]
    let words = texts::words(name);
    #[cfg(not(feature = "files"))]
    let words = BTreeSet::new();
    fs::write(folder.join("words"), dictionary(&words)).expect("the folder can be written");
}

/// `words` as libFuzzer reads them, one a line.
fn dictionary(words: &BTreeSet<String>) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let spelled = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("\\x{byte:02x}"),
    };
    let line = |word: &String| format!("\"{}\"\n", word.bytes().map(spelled).collect::<String>());
    // One without a line is none to libFuzzer, which then stops.
    "# Words.\n".to_owned() + &words.iter().map(line).collect::<String>()
}

/// Some decisions of every kind.
fn noise() -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut byte = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..40).map(|at| (0..20 + 8 * at).map(|_| byte()).collect()).collect()
}

fn with_head(head: u8, bytes: &[u8]) -> Vec<u8> {
    [&[head], bytes].concat()
}

fn snapshots() -> Vec<Vec<u8>> {
    let mut replica = known().replica;
    let mut all = vec![replica.snapshot()];
    for epoch in replica.offloadable() {
        replica.offload(epoch);
    }
    all.push(replica.snapshot());
    let mut waiting = Sequence::new(2, Options::default()).expect("a site");
    for operation in &known().told[3..] {
        let _waits = waiting.apply(operation);
    }
    all.push(waiting.snapshot());
    let naming = Naming::Elements;
    let mut elements = Sequence::new(1, Options { naming, ..Options::default() }).expect("a site");
    let mut draw = |below: u64| below / 3;
    for text in ["abc", "é", "語𝒳"] {
        elements.insert(elements.len() / 2, text, &mut draw).expect("it fits");
        all.push(elements.snapshot());
    }
    let heads = [0, 1, 2, 64, 65];
    all.iter().flat_map(|bytes| heads.map(|head| with_head(head, bytes))).collect()
}

fn blob(bytes: &[u8]) -> Vec<u8> {
    with_head(u8::try_from(bytes.len()).expect("a short message"), bytes)
}

fn messages() -> Vec<Vec<u8>> {
    let told = known().told;
    let mut writer = Writer::default();
    let mut one_by_one = vec![0];
    for operation in &told {
        one_by_one.extend(blob(&writer.write(std::slice::from_ref(operation)).expect("short")));
    }
    let together = Writer::default().write(&told).expect("short");
    let mut typist = Sequence::new(7, Options::default()).expect("a site");
    let (mut writer, mut typed) = (Writer::default(), vec![1]);
    for text in ["a", "b", "cd"] {
        let told = typist.insert(typist.len(), text, &mut |_| 3).expect("it fits");
        typed.extend(blob(&writer.write(&told).expect("short")));
    }
    let gone = typist.remove(1..3).expect("it is there");
    typed.extend(blob(&writer.write(&[gone]).expect("short")));
    let known_by_one = with_head(1, &one_by_one[1..]);
    vec![one_by_one, known_by_one, with_head(0, &blob(&together)), typed]
}

fn renames() -> Vec<Vec<u8>> {
    let mut replica = known().replica;
    let mut all = Vec::new();
    for operation in known().told {
        if let Operation::Rename { .. } = operation
            && let Some(short) = replica.shortened(&operation)
        {
            all.push(with_head(0, &short));
        }
    }
    let mut later = replica.clone();
    let rename = later.rename().expect("there is something");
    all.push(with_head(0, &replica.shortened(&rename).expect("its epoch is known")));
    for (at, epoch) in replica.offloadable().into_iter().enumerate() {
        let aside = replica.offload(epoch).expect("it can be put aside");
        replica.load(epoch, &aside).expect("what was put aside");
        all.push(with_head(at as u8, &aside));
    }
    all
}

fn written(value: &impl Encode) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out);
    out
}

fn causal_wire() -> Vec<Vec<u8>> {
    let late = Origin { node: NodeId(4), life: 77 };
    let dots = [Dot::new(1, 4), Dot::new(9, 200), Dot { origin: late, seq: 1 }];
    let clock: Clock = dots.into_iter().collect();
    let digest = Digest {
        delivered: clock.clone(),
        collected: [dots[0]].into_iter().collect(),
        lineage: vec![late],
    };
    let mut all = vec![
        with_head(0, &written(&clock)),
        with_head(2, &written(&digest)),
        with_head(3, &written(&Range { first: dots[1], more: 9 })),
        with_head(4, &written(&dots[2])),
        with_head(6, &written(&late)),
    ];
    for heads in [&dots[..0], &dots[..1], &dots[..2], &dots] {
        for content in [
            causal::Content::Payload(Word(9)),
            causal::Content::Heartbeat,
            causal::Content::Join(late),
            causal::Content::Retire(2.into()),
        ] {
            let operation = causal::Operation { dot: Dot::new(2, 3), heads: heads.into(), content };
            all.push(with_head(1, &written(&operation)));
        }
    }
    all
}

fn causal_states() -> Vec<Vec<u8>> {
    let founders = || (0..3).map(Origin::from);
    let layer = |own: u32| Broadcast::founder(own.into(), founders(), Limits::default());
    let mut layers: [Broadcast<Word>; 3] = [0, 1, 2].map(layer);
    let mut all = Vec::new();
    let joiner = Origin { node: NodeId(5), life: 3 };
    let contents = [
        causal::Content::Payload(Word(1)),
        causal::Content::Heartbeat,
        causal::Content::Join(joiner),
        causal::Content::Payload(Word(300)),
        causal::Content::Retire(2.into()),
        causal::Content::Heartbeat,
    ];
    for (at, content) in contents.into_iter().enumerate() {
        let Ok(delivery) = layers[at % 2].broadcast(content) else { continue };
        let via = Origin::from(at as u32 % 2);
        for other in [1 - at % 2, 2] {
            if at % 3 != 2 || other != 2 {
                let _came = layers[other].receive(via, Arc::clone(&delivery.operation));
                while layers[other].deliver().is_some() {}
            }
        }
        for layer in &layers {
            let mut out = vec![at as u8];
            layer.export(&mut out);
            all.push(out);
        }
    }
    all
}

fn upgrade_wire() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for version in ["1.0.0", "2.0.0"] {
        let (envelope, signed, _) = release("counter", version);
        let stamp = Stamp::new(envelope.id.clone(), envelope.class.clone());
        all.extend([
            with_head(0, &written(&envelope)),
            with_head(1, &signed),
            with_head(2, &written(&envelope.id)),
            with_head(3, &written(&stamp)),
            with_head(4, &written(&envelope.class)),
            with_head(9, &signed),
        ]);
    }
    let mut hold = Hold::<u64, u64>::new(HoldLimits::default(), Bugs::default());
    for at in 0..4 {
        hold.push(at % 2, 9, 100 + at, contract::Time::from_nanos(at)).expect("there is room");
    }
    all.push(with_head(7, &written(&hold)));
    all.extend((0..6).map(|kind| vec![5, kind, 3, b'w', b'h', b'y', 1, 2, 3]));
    all.extend((0..6).map(|kind| vec![6, kind, 1, 0, 2, 0, 0, 0, 0]));
    for text in ["1", "0.4", "2.0.0-rc.1", "n17", "3.9", "3.9'7", "12ms", "4s", "0.25s"] {
        all.push(with_head(8, text.as_bytes()));
    }
    all
}
