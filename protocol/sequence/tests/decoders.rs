//! Bytes that were cut, changed or made up are refused by every decoder, or read as something sound.

use proptest::prelude::*;
use sequence::{FormerState, Moves, Operation, Options, Reader, Sequence, Writer};

/// A replica after random edits, renames and snapshots, and what it told.
fn written(edits: &[(u8, u64, u64)]) -> (Sequence, Vec<Operation>) {
    let mut replica = Sequence::new(1, Options::default()).expect("1 is a site");
    let mut told = Vec::new();
    for (kind, place, drawn) in edits {
        let length = replica.len();
        let mut draw = |below: u64| drawn % below;
        match kind {
            0 if length > 0 => told.push(replica.rename().expect("a document")),
            1..=3 if length > 0 => {
                let from = place % length;
                let to = length.min(from + 1 + drawn % 5);
                told.push(replica.remove(from..to).expect("inside"));
            }
            _ => {
                let text = ["a", "bc", "déf", "𝒳"][(drawn % 4) as usize];
                let index = place % (length + 1);
                told.extend(replica.insert(index, text, &mut draw).expect("inside"));
            }
        }
    }
    (replica, told)
}

fn edits() -> impl Strategy<Value = Vec<(u8, u64, u64)>> {
    prop::collection::vec((0..10_u8, any::<u64>(), any::<u64>()), 1..40)
}

/// What becomes of `bytes` under way.
fn changed(
    bytes: &[u8],
    changes: &[(prop::sample::Index, u8)],
    cut: Option<prop::sample::Index>,
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, flip) in changes {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len() + 1));
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_bytes_make_a_decoder_panic_or_change_what_refuses_them(
        edits in edits(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        noise in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let (mut replica, told) = written(&edits);
        let before = replica.snapshot();

        // A snapshot.
        for bytes in [&changed(&before, &changes, cut), &noise] {
            if let Ok(mut restored) = Sequence::restore(2, Moves::Eager, bytes) {
                restored.check();
                let _refused_or_done = restored.insert(0, "x", &mut |below| below / 2);
                let _refused_or_done = restored.rename();
                restored.check();
            }
        }

        // A message, read and carried out by one who knows nothing and by one who knows all.
        let message = Writer::default().write(&told).expect("short");
        for bytes in [&changed(&message, &changes, cut), &noise] {
            let read = Reader::default().read(bytes);
            for mut receiver in [Sequence::new(3, Options::default()).expect("a site"), replica.clone()] {
                let known = receiver.snapshot();
                let applied = receiver.apply_message(&mut Reader::default(), bytes);
                prop_assert_eq!(applied.is_ok(), read.is_ok());
                match applied {
                    Ok(applied) => {
                        receiver.check();
                        let counted: u64 = receiver.refusals().all().map(|(_, count)| count).sum();
                        prop_assert!(counted >= applied.refused.len() as u64);
                    }
                    Err(_) => prop_assert_eq!(receiver.snapshot(), known),
                }
            }
        }

        // A rename in few bytes, and a former state that was put aside.
        let epochs: Vec<_> = replica.known_epochs().collect();
        for epoch in epochs {
            let Some(rename) = replica.rename_of(epoch) else { continue };
            let short = replica.shortened(&rename).expect("its epoch is known");
            prop_assert_eq!(replica.lengthened(&short), Ok(rename.clone()));
            let Operation::Rename { former, .. } = &rename else { panic!("a rename") };
            for bytes in [&changed(&short, &changes, cut), &noise] {
                if let Ok(Operation::Rename { former: found, .. }) = replica.lengthened(bytes) {
                    prop_assert_eq!(&found, former);
                }
            }
            prop_assert_eq!(FormerState::new(&former.intervals()), Ok(former.clone()));
            if let Some(aside) = replica.offload(epoch) {
                let rotten = changed(&aside, &changes, cut);
                prop_assert_eq!(replica.load(epoch, &rotten).is_ok(), rotten == aside);
                if rotten != aside {
                    prop_assert!(replica.load(epoch, &noise).is_err());
                    prop_assert_eq!(replica.load(epoch, &aside), Ok(()));
                }
            }
        }
        prop_assert_eq!(replica.snapshot(), before);
    }
}
