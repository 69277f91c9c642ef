//! The command for what the owner of the token is told: inbox.

use wiki_types::{InboxEntry, InboxKind, InboxReading};

use crate::args::{Global, Inbox};
use crate::lists::{page_size, print};
use crate::text::one_line;
use crate::wiki::{Wiki, with_query};

/// `wasiki inbox`: what is unread, or all.
pub fn list(wiki: &Wiki, global: &Global, args: &Inbox) -> anyhow::Result<()> {
    let limit = args.limit.unwrap_or(usize::MAX);
    let page_size = page_size(limit);
    let mut parameters = vec![("limit", page_size.as_str())];
    if !args.all {
        parameters.push(("unread", "true"));
    }
    let mut printed = Vec::new();
    let items = wiki.list(with_query("/inbox", &parameters), "entries").inspect(|item| {
        let is_unread = |item: &&serde_json::Value| item["read_time"].is_null();
        printed.extend(item.as_ref().ok().filter(is_unread).and_then(|item| item["id"].as_i64()));
    });
    let mut found = 0;
    print(items, limit, global, |entry: InboxEntry| {
        found += 1;
        Ok(line(&entry))
    })?;
    if found == 0 && !global.json {
        eprintln!("{}", if args.all { "no entries" } else { "nothing unread" });
    }
    if args.read {
        // Those that were printed, and none that came meanwhile.
        for ids in printed.chunks(wiki_types::rules::MAX_LIMIT) {
            wiki.mark_read(&InboxReading { ids: Some(ids.to_vec()), up_to: None })?;
        }
    }
    Ok(())
}

fn line(entry: &InboxEntry) -> String {
    let time = entry.time.to_seconds();
    let who = entry.user_name.as_deref().unwrap_or(if entry.user_id.is_some() { "a deleted user" } else { "someone" });
    let (who, page) = (one_line(who), format!("{} ({})", one_line(&entry.page_title), one_line(&entry.page_slug)));
    let task = one_line(entry.task_text.as_deref().unwrap_or("a task that is gone"));
    let due = entry.due.map(|due| format!(", due {due}")).unwrap_or_default();
    let what = match entry.kind {
        InboxKind::Mention => format!("{who} mentioned you in {page}"),
        InboxKind::Assigned => format!("{who} assigned to you: {task}{due}, in {page}"),
        InboxKind::Reminder => format!("reminder: {task}{due}, in {page}"),
        InboxKind::Due => format!("due: {task}{due}, in {page}"),
        InboxKind::Overdue => format!("overdue: {task}{due}, in {page}"),
        InboxKind::Changed if entry.changes > 1 => {
            format!("{page} has {} changes, the last by {who}", entry.changes)
        }
        InboxKind::Changed => format!("{who} changed {page}"),
    };
    format!("{time}  {what}{}", if entry.read_time.is_some() { "  [read]" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line() {
        let entry = serde_json::json!({
            "id": 7, "kind": "changed", "time": "2026-11-22T10:00:00Z", "read_time": null, "post_id": 1,
            "page_title": "My\u{1b} list", "page_slug": "list", "page_deleted": false, "user_id": 2, "user_name": "Bob",
            "version": 3, "first_version": 3, "changes": 1, "comment": "", "task_id": null, "task_text": null, "due": null,
        });
        let entry: InboxEntry = serde_json::from_value(entry).unwrap();
        let said = |entry: InboxEntry| line(&entry).split_once("  ").unwrap().1.to_owned();
        assert_eq!(line(&entry), "2026-11-22T10:00:00Z  Bob changed My list (list)");
        let several = InboxEntry { changes: 3, user_name: None, read_time: Some(entry.time), ..entry.clone() };
        assert_eq!(said(several), "My list (list) has 3 changes, the last by a deleted user  [read]");
        let task = InboxEntry {
            kind: InboxKind::Overdue,
            task_text: Some("Call".into()),
            due: "2026-12-04".parse().ok(),
            ..entry
        };
        assert_eq!(said(task.clone()), "overdue: Call, due 2026-12-04, in My list (list)");
        let assigned = InboxEntry { kind: InboxKind::Assigned, due: None, user_id: None, user_name: None, ..task };
        assert_eq!(said(assigned), "someone assigned to you: Call, in My list (list)");
    }
}
