//! Lists and pages of results, written row by row.
//!
//! A row may be as large as a request, and there may be any number of them. So no answer holds
//! them all: a search finds Ids, rows are loaded a few at a time, and what does not fit into
//! one [`PIECE`] is written while it is sent. An answer that cannot be finished, because the
//! database fails in the middle, ends without its end: its client sees a broken transfer,
//! never a list that is shorter than it says.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use beadle_common::db::AnyConnection;
use beadle_common::model::search::Found;
use beadle_common::view::View;
use futures_util::{StreamExt, future, stream};

use crate::answer::{self, Answer};
use crate::error::ApiError;
use crate::extract::Call;
use crate::state::State;

/// Bytes after which a piece of an answer is sent. An answer that is no longer has a length
/// in its headers, and may still fail with a status.
const PIECE: usize = 1024 * 1024;

/// Rows that are loaded at the same time at most: each may take some megabytes.
const ROWS_AT_ONCE: usize = 10;

/// What is listed: the Ids, in their order, and how many there are on all pages.
pub(crate) struct Contents<Id> {
    ids: Vec<Id>,
    total: Option<i64>,
}

impl<Id> From<Found<Id>> for Contents<Id> {
    fn from(found: Found<Id>) -> Self {
        Self {
            ids: found.ids,
            total: Some(found.total),
        }
    }
}

impl<Id> From<Vec<Id>> for Contents<Id> {
    fn from(ids: Vec<Id>) -> Self {
        Self { ids, total: None }
    }
}

/// Rows with what they are found by.
pub(crate) type Loaded<Id, Row> = Vec<(Id, Row)>;

/// How rows of a noun are loaded and shown.
pub(crate) trait Rows: Clone + Send + Sync + 'static {
    /// What a row is found by.
    type Id: Copy + PartialEq + Send + 'static;
    /// Everything that is shown of it.
    type Row;

    /// The rows with these Ids, in no order, without those that are gone.
    fn load(
        &self,
        connection: &mut AnyConnection,
        ids: &[Self::Id],
    ) -> Result<Loaded<Self::Id, Self::Row>, ApiError>;

    /// A row as the API returns it.
    fn show(&self, row: &Self::Row) -> Result<View, ApiError>;
}

/// Answers `{member: [row, …]}`, with `total` if it is known.
pub(crate) async fn answer<R, C, F>(call: &Call, member: &str, rows: R, find: F) -> Answer
where
    R: Rows,
    C: Into<Contents<R::Id>>,
    F: FnOnce(&mut AnyConnection) -> Result<C, ApiError> + Send + 'static,
{
    let state = call.state();
    let member = member.to_owned();
    let search = move |connection: &mut AnyConnection| {
        let mut writer = Writer::new(rows, &member, find(connection)?.into());
        Ok((writer.piece(connection)?, writer))
    };
    let (piece, writer) = state.searches.search(&state.db, search).await?;
    match writer.is_done() {
        true => Ok(answer::json_text(piece)),
        false => Ok(send(state, piece, writer)),
    }
}

/// Sends the first piece, and writes the others when their turn comes.
fn send<R: Rows>(state: Data<State>, first: String, writer: Writer<R>) -> HttpResponse {
    let rest = stream::try_unfold((state, writer), |(state, mut writer)| async move {
        if writer.is_done() {
            return Ok(None);
        }
        let write = move |connection: &mut AnyConnection| {
            let piece = writer.piece(connection)?;
            Ok((piece, writer))
        };
        let written = state.searches.piece(&state.db, write).await;
        let (piece, writer) = written.inspect_err(ApiError::log)?;
        Ok(Some((Bytes::from(piece), (state, writer))))
    });
    let first = stream::once(future::ready(Ok(Bytes::from(first))));
    answer::streamed(first.chain(rest))
}

/// An answer that is being written.
struct Writer<R: Rows> {
    rows: R,
    ids: std::vec::IntoIter<R::Id>,
    /// How many rows are loaded next.
    at_once: usize,
    opening: String,
    closing: String,
    has_rows: bool,
}

impl<R: Rows> Writer<R> {
    fn new(rows: R, member: &str, contents: Contents<R::Id>) -> Self {
        // Members are sorted.
        let (opening, closing) = match contents.total {
            None => (format!("{{\"{member}\":["), "]}".to_owned()),
            Some(total) if member < "total" => (
                format!("{{\"{member}\":["),
                format!("],\"total\":{total}}}"),
            ),
            Some(total) => (
                format!("{{\"total\":{total},\"{member}\":["),
                "]}".to_owned(),
            ),
        };
        Self {
            rows,
            ids: contents.ids.into_iter(),
            at_once: ROWS_AT_ONCE,
            opening,
            closing,
            has_rows: false,
        }
    }

    fn is_done(&self) -> bool {
        self.closing.is_empty()
    }

    /// The next part of the answer.
    fn piece(&mut self, connection: &mut AnyConnection) -> Result<String, ApiError> {
        let mut text = std::mem::take(&mut self.opening);
        while text.len() < PIECE && !self.ids.as_slice().is_empty() {
            self.write_some(connection, &mut text)?;
        }
        if self.ids.as_slice().is_empty() {
            text.push_str(&std::mem::take(&mut self.closing));
        }
        Ok(text)
    }

    fn write_some(
        &mut self,
        connection: &mut AnyConnection,
        text: &mut String,
    ) -> Result<(), ApiError> {
        let next = self.ids.as_slice().iter().take(self.at_once);
        let ids: Vec<R::Id> = next.copied().collect();
        let mut loaded = self.rows.load(connection, &ids)?;
        let mut written = 0;
        for id in &ids {
            self.ids.next();
            written += 1;
            // One that was deleted in between is gone.
            if let Some(position) = loaded.iter().position(|(of, _)| of == id) {
                let (_, row) = loaded.swap_remove(position);
                if self.has_rows {
                    text.push(',');
                }
                text.push_str(self.rows.show(&row)?.as_str());
                self.has_rows = true;
            }
            if text.len() >= PIECE {
                break;
            }
        }
        // What was loaded in vain will be loaded again: of large rows, fewer at once.
        self.at_once = match written < ids.len() {
            true => written,
            false => (written * 2).clamp(1, ROWS_AT_ONCE),
        };
        Ok(())
    }
}
