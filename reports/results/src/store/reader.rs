//! Reading rows: whole, or only some columns of them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use parquet::{
    basic::Type as Physical,
    column::reader::get_typed_column_reader,
    data_type::{BoolType, ByteArrayType, DataType, FixedLenByteArrayType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        reader::{FileReader, RowGroupReader, SerializedFileReader},
    },
};
use xxhash_rust::xxh3::Xxh3Default;

use super::{
    StoreError,
    column::{Access, COLUMNS, Column, column, names},
    writer::{
        CONTENT_NOTE, CREATED_BY, DIGEST_NOTE, GROUP_ROWS, HASH_BYTES, Mark, NOTE_PREFIX,
        VERSION_NOTE, digest_of,
    },
};
use crate::{FORMAT_VERSION, Run, file};

/// What a good file of rows is.
const EXPECTED: &str = "a Parquet file as `simctl sweep` writes it";

/// A file of rows, whose bytes are as they were written.
pub struct RowReader {
    path: PathBuf,
    file: SerializedFileReader<File>,
    notes: BTreeMap<String, String>,
    rows: u64,
    /// Where in the file each of [`COLUMNS`] is; `None`: the file is older than the column.
    places: Vec<Option<usize>>,
}

/// Some columns of consecutive rows.
pub struct Chunk {
    /// How many rows.
    pub rows: usize,
    columns: BTreeMap<&'static str, Values>,
}

enum Values {
    Numbers(Vec<u64>),
    Flags(Vec<bool>),
    Texts(Texts),
    Hashes(Vec<u128>),
}

/// A column of texts, of which most are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// The different texts, in the order in which they first came up.
    pub texts: Vec<String>,
    /// By row: which of them.
    pub index: Vec<u32>,
}

impl Texts {
    /// The text of row `row`.
    pub fn get(&self, row: usize) -> &str {
        &self.texts[self.index[row] as usize]
    }
}

impl RowReader {
    /// Opens the file `path` and checks that every byte of its rows is as it was written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = file::open(path).map_err(StoreError::reading(path))?;
        let length = file.metadata().map_err(StoreError::reading(path))?.len();
        let again = file.try_clone().map_err(StoreError::reading(path))?;
        let file =
            guarded(|| SerializedFileReader::new(file)).map_err(|why| StoreError::Damaged {
                path: path.into(),
                why: format!("its end cannot be read ({why})"),
                expected: EXPECTED.into(),
                recovered: format!("nothing of its {length} bytes"),
            })?;
        let foreign = |why: &str| StoreError::Foreign {
            path: path.into(),
            why: format!("{why}; expected {EXPECTED}"),
        };
        let about = file.metadata().file_metadata();
        if about.created_by() != Some(CREATED_BY) {
            return Err(foreign("another program wrote it"));
        }
        let pairs = about.key_value_metadata().into_iter().flatten();
        let said: BTreeMap<&str, &str> =
            pairs.filter_map(|pair| Some((&*pair.key, pair.value.as_deref()?))).collect();
        let version: u32 = said
            .get(VERSION_NOTE)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| foreign("it does not say its format version"))?;
        if said.get(DIGEST_NOTE) != Some(&digest_of(&said).as_str()) {
            return Err(StoreError::Damaged {
                path: path.into(),
                why: "its notes are not as they were written".into(),
                expected: EXPECTED.into(),
                recovered: "nothing, as it is unknown which".into(),
            });
        }
        let marks: Vec<Mark> = said
            .get(CONTENT_NOTE)
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| foreign("it does not say what its bytes are"))?;
        let rows = marks.last().map_or(0, |mark| mark.rows);
        verify(path, again, &marks)?;
        let notes = said.iter().filter_map(|(name, text)| {
            Some((name.strip_prefix(NOTE_PREFIX)?.to_owned(), (*text).to_owned()))
        });
        let notes = notes.collect();
        let groups = file.metadata().row_groups().iter().map(RowGroupMetaData::num_rows);
        let sizes: Option<Vec<u64>> = groups
            .map(|size| {
                u64::try_from(size).ok().filter(|size| (1..=GROUP_ROWS as u64).contains(size))
            })
            .collect();
        if sizes.is_none_or(|sizes| sizes.iter().sum::<u64>() != rows) {
            return Err(foreign("its row groups do not add up"));
        }
        let places = places(path, &file, version)?;
        Ok(Self { path: path.into(), file, notes, rows, places })
    }

    /// How many rows it has.
    pub fn count(&self) -> u64 {
        self.rows
    }

    /// What was noted beside the rows under `name`.
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.get(name).map(String::as_str)
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every row, in order. At most one row group is in memory.
    pub fn rows(&self) -> impl Iterator<Item = Result<Run, StoreError>> {
        let all: Vec<&'static Column> = COLUMNS.iter().collect();
        (0..self.file.num_row_groups()).flat_map(move |group| {
            let (chunk, error) = match self.chunk(group, &all) {
                Ok(chunk) => (Some(chunk), None),
                Err(error) => (None, Some(Err(error))),
            };
            let rows =
                chunk.into_iter().flat_map(|chunk| (0..chunk.rows).map(move |row| chunk.run(row)));
            rows.map(|run| self.fits(run)).chain(error)
        })
    }

    /// The columns `wanted` of all rows, in order, a row group at a time.
    ///
    /// Errors: [`StoreError::UnknownColumn`]; damage, at the row group where it is.
    pub fn scan(
        &self,
        wanted: &[&str],
    ) -> Result<impl Iterator<Item = Result<Chunk, StoreError>>, StoreError> {
        let wanted: Result<Vec<&'static Column>, StoreError> = wanted
            .iter()
            .map(|name| {
                column(name).ok_or_else(|| StoreError::UnknownColumn {
                    path: self.path.clone(),
                    column: (*name).to_owned(),
                    expected: names(),
                })
            })
            .collect();
        let wanted = wanted?;
        Ok((0..self.file.num_row_groups()).map(move |group| self.chunk(group, &wanted)))
    }

    fn fits(&self, run: Result<Run, &'static str>) -> Result<Run, StoreError> {
        run.map_err(|column| StoreError::Foreign {
            path: self.path.clone(),
            why: format!("a row has a value in `{column}` that no run has"),
        })
    }

    fn chunk(&self, group: usize, wanted: &[&'static Column]) -> Result<Chunk, StoreError> {
        let rows = self.file.metadata().row_group(group).num_rows() as usize;
        let read = guarded(|| {
            let reader = self.file.get_row_group(group)?;
            let mut columns = BTreeMap::new();
            for column in wanted {
                let place = COLUMNS.iter().position(|one| one.name == column.name);
                let place = place.and_then(|index| self.places[index]);
                columns.insert(column.name, values(&*reader, column, place, rows)?);
            }
            Ok(Chunk { rows, columns })
        });
        read.map_err(|why| {
            let groups = self.file.metadata().row_groups();
            let before: i64 = groups[..group].iter().map(RowGroupMetaData::num_rows).sum();
            StoreError::Damaged {
                path: self.path.clone(),
                why: format!("row group {group} cannot be read ({why})"),
                expected: format!("{} rows", self.rows),
                recovered: format!("the first {before}"),
            }
        })
    }
}

impl Chunk {
    /// The column of numbers `name`. Panics where it was not asked for or holds no numbers.
    pub fn numbers(&self, name: &str) -> &[u64] {
        match self.columns.get(name) {
            Some(Values::Numbers(values)) => values,
            _ => panic!("`{name}` is no column of numbers that was asked for"),
        }
    }

    /// The column of flags `name`. Panics where it was not asked for or holds no flags.
    pub fn flags(&self, name: &str) -> &[bool] {
        match self.columns.get(name) {
            Some(Values::Flags(values)) => values,
            _ => panic!("`{name}` is no column of flags that was asked for"),
        }
    }

    /// The column of texts `name`; lists are texts with a space between names. Panics where it was not
    /// asked for or holds no texts.
    pub fn texts(&self, name: &str) -> &Texts {
        match self.columns.get(name) {
            Some(Values::Texts(values)) => values,
            _ => panic!("`{name}` is no column of texts that was asked for"),
        }
    }

    /// The column of hashes `name`, 0 where there is none. Panics where it was not asked for or holds
    /// no hashes.
    pub fn hashes(&self, name: &str) -> &[u128] {
        match self.columns.get(name) {
            Some(Values::Hashes(values)) => values,
            _ => panic!("`{name}` is no column of hashes that was asked for"),
        }
    }

    /// The run of row `row`, or the column whose value no run has.
    fn run(&self, row: usize) -> Result<Run, &'static str> {
        let mut run = Run::default();
        for column in COLUMNS {
            let fits = match (column.access, &self.columns[column.name]) {
                (Access::Number(_, put), Values::Numbers(values)) => put(&mut run, values[row]),
                (Access::Text(_, put), Values::Texts(values)) => put(&mut run, values.get(row)),
                (Access::Flag(_, put), Values::Flags(values)) => {
                    put(&mut run, values[row]);
                    true
                }
                (Access::Hash(_, put), Values::Hashes(values)) => {
                    let digits = match values[row] {
                        0 => String::new(),
                        hash => format!("{hash:032x}"),
                    };
                    put(&mut run, digits);
                    true
                }
                _ => unreachable!("values are read by the column's access"),
            };
            if !fits {
                return Err(column.name);
            }
        }
        Ok(run)
    }
}

/// What `read` makes, whatever a hostile file does to the library that reads it.
fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(made)) => Ok(made),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("its structure makes no sense".to_owned()),
    }
}

/// Checks the bytes of `file` against what was written.
fn verify(path: &Path, file: File, marks: &[Mark]) -> Result<(), StoreError> {
    use io::Seek;
    let mut file = &file;
    file.rewind().map_err(StoreError::reading(path))?;
    let mut hash = Xxh3Default::new();
    let mut buffer = vec![0; 1 << 16];
    let (mut at, mut good) = (0, 0);
    for mark in marks {
        while at < mark.bytes {
            let wanted = buffer.len().min(usize::try_from(mark.bytes - at).unwrap_or(usize::MAX));
            let read = file.read(&mut buffer[..wanted]).map_err(StoreError::reading(path))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            at += read as u64;
        }
        if at != mark.bytes || format!("{:032x}", hash.digest128()) != mark.hash {
            let rows = marks.last().map_or(0, |mark| mark.rows);
            return Err(StoreError::Damaged {
                path: path.into(),
                why: format!("its rows from number {good} are not as they were written"),
                expected: format!("{rows} rows"),
                recovered: format!("the first {good}"),
            });
        }
        good = mark.rows;
    }
    Ok(())
}

/// Where the columns of runs are in `file`.
fn places(
    path: &Path,
    file: &SerializedFileReader<File>,
    version: u32,
) -> Result<Vec<Option<usize>>, StoreError> {
    let found = file.metadata().file_metadata().schema_descr();
    let mut places = vec![None; COLUMNS.len()];
    for (place, descriptor) in found.columns().iter().enumerate() {
        let name = descriptor.path().string();
        let Some(index) = COLUMNS.iter().position(|column| column.name == name) else {
            if version > FORMAT_VERSION {
                continue;
            }
            let expected = names();
            return Err(StoreError::UnknownColumn { path: path.into(), column: name, expected });
        };
        let fits = descriptor.max_def_level() == 0
            && descriptor.max_rep_level() == 0
            && descriptor.physical_type() == physical(&COLUMNS[index]);
        if !fits || places[index].is_some() {
            let why = format!("its column `{name}` is of another type; expected {EXPECTED}");
            return Err(StoreError::Foreign { path: path.into(), why });
        }
        places[index] = Some(place);
    }
    for (column, place) in COLUMNS.iter().zip(&places) {
        if place.is_none() && column.since <= version {
            let why = format!("it lacks the column `{}`; expected {EXPECTED}", column.name);
            return Err(StoreError::Foreign { path: path.into(), why });
        }
    }
    Ok(places)
}

fn physical(column: &Column) -> Physical {
    match column.access {
        Access::Number(..) => Physical::INT64,
        Access::Flag(..) => Physical::BOOLEAN,
        Access::Text(..) => Physical::BYTE_ARRAY,
        Access::Hash(..) => Physical::FIXED_LEN_BYTE_ARRAY,
    }
}

/// `rows` values of `column`, which is at `place`; zeros where the file is older than the column.
fn values(
    group: &dyn RowGroupReader,
    column: &Column,
    place: Option<usize>,
    rows: usize,
) -> Result<Values, ParquetError> {
    Ok(match (column.access, place) {
        (Access::Number(..), None) => Values::Numbers(vec![0; rows]),
        (Access::Flag(..), None) => Values::Flags(vec![false; rows]),
        (Access::Text(..), None) => {
            Values::Texts(Texts { texts: vec![String::new()], index: vec![0; rows] })
        }
        (Access::Hash(..), None) => Values::Hashes(vec![0; rows]),
        (Access::Number(..), Some(place)) => {
            let values = raw::<Int64Type>(group, place, rows)?;
            Values::Numbers(values.into_iter().map(i64::cast_unsigned).collect())
        }
        (Access::Flag(..), Some(place)) => Values::Flags(raw::<BoolType>(group, place, rows)?),
        (Access::Text(..), Some(place)) => {
            let values = raw::<ByteArrayType>(group, place, rows)?;
            let mut known: BTreeMap<&[u8], u32> = BTreeMap::new();
            let mut texts = Texts { texts: Vec::new(), index: Vec::with_capacity(rows) };
            for value in &values {
                let next = texts.texts.len() as u32;
                let index = *known.entry(value.data()).or_insert(next);
                if index == next {
                    texts.texts.push(value.as_utf8()?.to_owned());
                }
                texts.index.push(index);
            }
            Values::Texts(texts)
        }
        (Access::Hash(..), Some(place)) => {
            let values = raw::<FixedLenByteArrayType>(group, place, rows)?;
            let hash = |value: &[u8]| <[u8; HASH_BYTES]>::try_from(value).map(u128::from_be_bytes);
            let hashes = values.iter().map(|value| hash(value.data())).collect::<Result<_, _>>();
            Values::Hashes(hashes.map_err(|error| ParquetError::General(error.to_string()))?)
        }
    })
}

fn raw<T: DataType>(
    group: &dyn RowGroupReader,
    place: usize,
    rows: usize,
) -> Result<Vec<T::T>, ParquetError> {
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(place)?);
    let mut values = Vec::with_capacity(rows);
    let (records, _, _) = reader.read_records(rows, None, None, &mut values)?;
    if records == rows && values.len() == rows {
        Ok(values)
    } else {
        Err(ParquetError::General(format!("it has {records} of {rows} values")))
    }
}
