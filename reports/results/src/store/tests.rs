use std::{fs, io, path::Path};

use super::*;
use crate::{FORMAT_VERSION, Outcome};

/// Rows as a sweep has them: some columns constant, some alike, some different in every row.
fn row(number: u64) -> Run {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let broken = number.is_multiple_of(97);
    let hash = format!("{:016x}{:016x}", mixed.rotate_left(29), mixed ^ number);
    Run {
        format_version: FORMAT_VERSION,
        build: "0.1.0 (abc)".into(),
        scenario: "patch-bump".into(),
        scenario_hash: format!("{:032x}", 77),
        seed: number,
        outcome: if broken { Outcome::Violates } else { Outcome::Holds },
        as_expected: !broken,
        violated: if broken { vec!["S6".into(), "L1".into()] } else { Vec::new() },
        fingerprint: hash,
        virtual_nanos: 20_000_000_000 + (mixed >> 34),
        nodes: 3,
        convergence_p50_nanos: mixed >> 40,
        convergence_p99_nanos: mixed >> 36,
        convergence_max_nanos: u64::MAX,
        datagrams: 400 + mixed % 37,
        goals: vec!["converted".into(), "held".into()],
        ..Run::default()
    }
}

fn written(rows: impl Iterator<Item = Run>) -> Vec<u8> {
    let mut writer = RowWriter::new(Vec::new()).unwrap();
    for row in rows {
        writer.push(&row).unwrap();
    }
    writer.finish([("sweep", "s1".to_owned())]).unwrap()
}

fn open(bytes: &[u8]) -> Result<RowReader, StoreError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    RowReader::open(file.path())
}

fn complaint(bytes: &[u8]) -> String {
    let reader = match open(bytes) {
        Ok(reader) => reader,
        Err(error) => return error.to_string(),
    };
    reader.rows().find_map(Result::err).map_or_else(String::new, |error| error.to_string())
}

#[test]
fn rows_read_back_over_several_groups() {
    let count = GROUP_ROWS as u64 + 1_000;
    let reader = open(&written((0..count).map(row))).unwrap();
    assert_eq!((reader.count(), reader.note("sweep")), (count, Some("s1")));
    let mut read = 0;
    for (number, run) in (0..).zip(reader.rows()) {
        assert_eq!(run.unwrap(), row(number));
        read += 1;
    }
    assert_eq!(read, count);
}

#[test]
fn the_same_rows_are_the_same_bytes() {
    assert_eq!(written((0..5_000).map(row)), written((0..5_000).map(row)));
    assert_ne!(written((0..5_000).map(row)), written((1..5_001).map(row)));
}

#[test]
fn a_file_without_rows_reads_back() {
    let reader = open(&written(std::iter::empty())).unwrap();
    assert_eq!((reader.count(), reader.rows().count()), (0, 0));
}

#[test]
fn a_scan_reads_the_columns_it_asks_for() {
    let reader = open(&written((0..200).map(row))).unwrap();
    let wanted = ["seed", "scenario", "goals", "as_expected", "fingerprint"];
    let chunks: Vec<Chunk> = reader.scan(&wanted).unwrap().map(Result::unwrap).collect();
    let [chunk] = &chunks[..] else { panic!("200 rows are one group") };
    assert_eq!(chunk.numbers("seed"), (0..200).collect::<Vec<u64>>());
    assert_eq!(chunk.texts("scenario").texts, ["patch-bump"]);
    assert_eq!(chunk.texts("goals").get(199), "converted held");
    assert_eq!(chunk.flags("as_expected")[..2], [false, true]);
    assert_eq!(format!("{:032x}", chunk.hashes("fingerprint")[5]), row(5).fingerprint);
}

#[test]
fn a_column_that_runs_do_not_have_is_named() {
    let reader = open(&written((0..2).map(row))).unwrap();
    let error = reader.scan(&["seed", "latency"]).err().unwrap().to_string();
    assert!(
        error.contains("has no column `latency`; expected one of format_version, build"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let whole = written((0..300).map(row));
    assert_eq!(complaint(&whole), "");
    for length in (0..whole.len()).step_by(61) {
        let said = complaint(&whole[..length]);
        assert!(
            said.contains("is damaged") && said.contains("recovered nothing"),
            "{length}: {said}"
        );
    }
}

#[test]
fn a_flipped_byte_among_the_rows_is_found() {
    let whole = written((0..300).map(row));
    let end = 8 + u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().unwrap()) as usize;
    for at in (4..whole.len() - end).step_by(53) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        let said = complaint(&bytes);
        assert!(said.ends_with("expected 300 rows, recovered the first 0"), "{at}: {said}");
    }
}

#[test]
fn damage_in_a_later_group_says_how_many_rows_are_good() {
    let count = GROUP_ROWS as u64 + 10;
    let mut bytes = written((0..count).map(row));
    let end = 8 + u32::from_le_bytes(bytes[bytes.len() - 8..][..4].try_into().unwrap()) as usize;
    let at = bytes.len() - end - 20;
    bytes[at] ^= 1;
    let said = complaint(&bytes);
    assert!(said.ends_with("expected 131082 rows, recovered the first 131072"), "{said}");
}

#[test]
fn a_footer_with_a_flipped_byte_never_panics_through() {
    let whole = written((0..50).map(row));
    let end = 8 + u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().unwrap()) as usize;
    for at in ((whole.len() - end)..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        // Some bytes, such as those of statistics, change no row.
        let _ = complaint(&bytes);
    }
}

#[test]
fn a_note_that_was_changed_is_damage() {
    let mut writer = RowWriter::new(Vec::new()).unwrap();
    writer.push(&row(1)).unwrap();
    let whole = writer.finish([("tallies", r#"{"holds":2}"#.to_owned())]).unwrap();
    let of = |text: &[u8]| whole.windows(text.len()).position(|bytes| bytes == text).unwrap();
    let mut bytes = whole.clone();
    bytes[of(br#""holds":2"#) + 8] = b'1';
    let said = complaint(&bytes);
    assert!(said.contains("its notes are not as they were written"), "{said}");
}

#[test]
fn a_file_of_another_program_is_refused() {
    let said = complaint(b"PAR1 this is text");
    assert!(said.contains("is damaged: its end cannot be read"), "{said}");
    let said = RowReader::open(Path::new("no/such.parquet")).err().unwrap().to_string();
    assert!(said.starts_with("no/such.parquet cannot be read"), "{said}");
}

#[test]
fn a_full_disk_is_an_error_of_its_own_kind() {
    struct Full(usize);
    impl io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = RowWriter::new(Full(2_000)).unwrap();
    for number in 0..1_000 {
        writer.push(&row(number)).unwrap();
    }
    let error = writer.finish([]).err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_finished_folder_reads_back_and_a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { seed_count: 3, ..Plan::default() };
    let put = |name: &str, bytes: &[u8]| durable::write(&folder.path().join(name), bytes).unwrap();
    put(PLAN, serde_json::to_string(&plan).unwrap().as_bytes());
    put(ROWS, &written((0..3).map(row)));
    put(FAILURES, to_lines(&[Failure { seed: 2, ..Failure::default() }]).as_bytes());
    put(TALLIES, to_lines(&[Tally { runs: 3, ..Tally::default() }]).as_bytes());
    let error = read(folder.path()).err().unwrap().to_string();
    assert!(error.contains("timelines.jsonl cannot be read"), "{error}");
    put(TIMELINES, to_lines(&[Timeline::default()]).as_bytes());
    let sweep = read(folder.path()).unwrap();
    assert_eq!((sweep.plan.seed_count, sweep.count(), sweep.failures[0].seed), (3, 3, 2));
    assert_eq!(sweep.runs().map(Result::unwrap).collect::<Vec<_>>(), [row(0), row(1), row(2)]);
}
