//! Tasks: the items of checklists. Text in, text out; `docs/TASKS.md` says what authors can write.

mod line;
mod matching;
mod page;
mod recurrence;

pub use line::{Kind, Line, lead_time};
pub use page::{
    Change, Days, MAX_TASKS, PageTask, added, changed, completed, full_key, may_complete, recurring, same, tasks, text,
};
pub use recurrence::Recurrence;
