//! Writing rows: Parquet, the same bytes for the same rows, whoever writes them and when.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::Arc,
};

use parquet::{
    basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType,
        Int64Type,
    },
    errors::{ParquetError, Result},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{ColumnPath, Type},
};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use super::column::{Access, COLUMNS, Column};
use crate::{FORMAT_VERSION, Run};

/// Rows of a group: a reader holds this many at once.
pub const GROUP_ROWS: usize = 131_072;
/// Bytes of a hash.
pub(super) const HASH_BYTES: usize = 16;
/// Who wrote the file. It says no version: the columns do.
pub(super) const CREATED_BY: &str = "simctl";
/// Where a file says which [`FORMAT_VERSION`] it has.
pub(super) const VERSION_NOTE: &str = "simctl.format_version";
/// Where a file says what its bytes are, as [`Mark`]s.
pub(super) const CONTENT_NOTE: &str = "simctl.content";
/// Where a file has a hash over all its other notes: 32 hexadecimal digits.
pub(super) const DIGEST_NOTE: &str = "simctl.notes";
/// What the names of other notes begin with.
pub(super) const NOTE_PREFIX: &str = "simctl.note.";
/// Beyond this many bytes of different values a dictionary saves nothing.
const DICTIONARY_BYTES_MAX: usize = 1 << 19;

/// What the file is up to the end of a row group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Rows until here.
    pub(super) rows: u64,
    /// Bytes until here.
    pub(super) bytes: u64,
    /// A hash over those bytes: 32 hexadecimal digits.
    pub(super) hash: String,
}

/// Writes rows in their order.
///
/// A file is a function of its rows and notes alone. At most [`GROUP_ROWS`] rows are in memory.
pub struct RowWriter<W: Write + Send> {
    file: SerializedFileWriter<Hashed<W>>,
    columns: Vec<Buffer>,
    /// Rows in `columns`.
    waiting: usize,
    /// Texts that came up, so that equal ones are kept once.
    texts: BTreeMap<String, ByteArray>,
    marks: Vec<Mark>,
    rows: u64,
}

/// Values of one column that are not written yet.
enum Buffer {
    Numbers(Vec<i64>),
    Flags(Vec<bool>),
    Texts(Vec<ByteArray>),
    Hashes(Vec<FixedLenByteArray>),
}

impl<W: Write + Send> RowWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> io::Result<Self> {
        let hashed = Hashed { out, hash: Xxh3Default::new(), bytes: 0 };
        let file = SerializedFileWriter::new(hashed, Arc::new(schema()), Arc::new(properties()));
        let file = file.map_err(failed)?;
        let columns = COLUMNS.iter().map(Buffer::of).collect();
        Ok(Self { file, columns, waiting: 0, texts: BTreeMap::new(), marks: Vec::new(), rows: 0 })
    }

    /// Appends `run`. A hash that is not 32 hexadecimal digits is written as none.
    pub fn push(&mut self, run: &Run) -> io::Result<()> {
        for (column, buffer) in COLUMNS.iter().zip(&mut self.columns) {
            match (column.access, buffer) {
                (Access::Number(get, _), Buffer::Numbers(values)) => {
                    values.push(get(run).cast_signed());
                }
                (Access::Flag(get, _), Buffer::Flags(values)) => values.push(get(run)),
                (Access::Text(get, _), Buffer::Texts(values)) => {
                    let text = get(run);
                    if let Some(known) = self.texts.get(text.as_ref()) {
                        values.push(known.clone());
                    } else {
                        let bytes = ByteArray::from(text.as_ref());
                        self.texts.insert(text.into_owned(), bytes.clone());
                        values.push(bytes);
                    }
                }
                (Access::Hash(get, _), Buffer::Hashes(values)) => values.push(hash_of(get(run))),
                _ => unreachable!("buffers are made from the columns"),
            }
        }
        self.rows += 1;
        self.waiting += 1;
        if self.waiting == GROUP_ROWS { self.write_group() } else { Ok(()) }
    }

    /// How many rows it has been given.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what is left, and `notes`, which whoever reads the file finds beside the rows.
    pub fn finish<'n>(
        mut self,
        notes: impl IntoIterator<Item = (&'n str, String)>,
    ) -> io::Result<W> {
        if self.waiting > 0 {
            self.write_group()?;
        }
        let marks = serde_json::to_string(&self.marks).map_err(io::Error::other)?;
        let own = [(VERSION_NOTE, FORMAT_VERSION.to_string()), (CONTENT_NOTE, marks)];
        let own = own.into_iter().map(|(name, text)| (name.to_owned(), text));
        let others = notes.into_iter().map(|(name, text)| (format!("{NOTE_PREFIX}{name}"), text));
        let mut notes: BTreeMap<String, String> = own.chain(others).collect();
        let said = notes.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        notes.insert(DIGEST_NOTE.to_owned(), digest_of(&said));
        for (name, text) in notes {
            self.file.append_key_value_metadata(KeyValue::new(name, text));
        }
        let hashed = self.file.into_inner().map_err(failed)?;
        let mut out = hashed.out;
        out.flush()?;
        Ok(out)
    }

    fn write_group(&mut self) -> io::Result<()> {
        self.write_columns().map_err(failed)?;
        // What the file buffers has to have gone through the hash.
        self.file.flush()?;
        let hashed = self.file.inner();
        let hash = format!("{:032x}", hashed.hash.digest128());
        self.marks.push(Mark { rows: self.rows, bytes: hashed.bytes, hash });
        self.waiting = 0;
        self.texts.clear();
        Ok(())
    }

    fn write_columns(&mut self) -> Result<()> {
        let mut group = self.file.next_row_group()?;
        for buffer in &mut self.columns {
            match buffer {
                Buffer::Numbers(values) => write_column::<Int64Type, _>(&mut group, values)?,
                Buffer::Flags(values) => write_column::<BoolType, _>(&mut group, values)?,
                Buffer::Texts(values) => write_column::<ByteArrayType, _>(&mut group, values)?,
                Buffer::Hashes(values) => {
                    write_column::<FixedLenByteArrayType, _>(&mut group, values)?;
                }
            }
        }
        group.close().map(drop)
    }
}

/// A hash over notes, the one that holds it left out: 32 hexadecimal digits.
pub(super) fn digest_of(notes: &BTreeMap<&str, &str>) -> String {
    let mut hash = Xxh3Default::new();
    for (name, text) in notes.iter().filter(|(name, _)| **name != DIGEST_NOTE) {
        for part in [name, text] {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    format!("{:032x}", hash.digest128())
}

fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &mut Vec<T::T>,
) -> Result<()> {
    let mut column = group.next_column()?.expect("the schema has a column for each buffer");
    column.typed::<T>().write_batch(values, None, None)?;
    values.clear();
    column.close()
}

impl Buffer {
    fn of(column: &Column) -> Self {
        match column.access {
            Access::Number(..) => Self::Numbers(Vec::new()),
            Access::Flag(..) => Self::Flags(Vec::new()),
            Access::Text(..) => Self::Texts(Vec::new()),
            Access::Hash(..) => Self::Hashes(Vec::new()),
        }
    }
}

/// The bytes of a hash in hexadecimal digits; zeros where it is none.
fn hash_of(digits: &str) -> FixedLenByteArray {
    let hash =
        if digits.len() == 2 * HASH_BYTES { u128::from_str_radix(digits, 16).ok() } else { None };
    hash.unwrap_or(0).to_be_bytes().to_vec().into()
}

fn schema() -> Type {
    let fields = COLUMNS.iter().map(|column| {
        let of = |physical| {
            Type::primitive_type_builder(column.name, physical)
                .with_repetition(Repetition::REQUIRED)
        };
        let field = match column.access {
            Access::Number(..) => {
                of(Physical::INT64).with_logical_type(Some(LogicalType::integer(64, false)))
            }
            Access::Flag(..) => of(Physical::BOOLEAN),
            Access::Text(..) => {
                of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String))
            }
            Access::Hash(..) => of(Physical::FIXED_LEN_BYTE_ARRAY).with_length(HASH_BYTES as i32),
        };
        Arc::new(field.build().expect("each column is well-formed"))
    });
    let fields = fields.collect();
    Type::group_type_builder("run")
        .with_fields(fields)
        .build()
        .expect("the columns are well-formed")
}

fn properties() -> WriterProperties {
    let path = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("the level exists");
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // Nothing stands between the last row group and the end, so that marks cover all rows.
        .set_offset_index_disabled(true);
    for column in COLUMNS {
        let seed = column.name == "seed";
        if seed || column.name.ends_with("_nanos") {
            // No two are alike.
            properties = properties
                .set_column_dictionary_enabled(path(column.name), false)
                .set_column_encoding(path(column.name), Encoding::DELTA_BINARY_PACKED);
        }
        if column.name == "fingerprint" {
            properties = properties
                .set_column_dictionary_enabled(path(column.name), false)
                .set_column_compression(path(column.name), Compression::UNCOMPRESSED)
                .set_column_statistics_enabled(path(column.name), EnabledStatistics::None);
        }
    }
    properties.build()
}

/// The fastest level that is as small as the others here.
const ZSTD_LEVEL: i32 = 1;

fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

/// A hash over what goes through.
struct Hashed<W> {
    out: W,
    hash: Xxh3Default,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
