//! Lists: a part of one, and where the next part is.

use serde::{Deserialize, Serialize};

use crate::{
    AuditEntry, ChainEntry, DeletedPost, Delivery, Event, File, PostSummary, Redirect, RevisionEntry, SearchResult,
    Session, Tag, Task, Token, UndeliveredEvent, User, Webhook,
};

/// A type for each list: they differ in the name of the member that has the items.
macro_rules! lists {
    ($($(#[$doc:meta])+ $list:ident { $items:ident: $item:ty })+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $list {
            /// The items of this part.
            pub $items: Vec<$item>,
            /// The address of the next part; null in the last one.
            #[cfg_attr(feature = "openapi", schema(format = "uri-reference", required = true))]
            pub next: Option<String>,
        }
    )+};
}

lists! {
    /// A part of the list of users.
    Users { users: User }
    /// A part of a list of pages.
    Posts { posts: PostSummary }
    /// A part of the list of deleted pages.
    DeletedPosts { posts: DeletedPost }
    /// A part of the list of a page's revisions.
    Revisions { revisions: RevisionEntry }
    /// A part of the list of all revisions.
    Changes { changes: RevisionEntry }
    /// A part of the list of a page's files.
    Files { files: File }
    /// A part of the list of redirects.
    Redirects { redirects: Redirect }
    /// A part of the list of tags.
    Tags { tags: Tag }
    /// A part of a list of tasks.
    Tasks { tasks: Task }
    /// The tokens of an account.
    Tokens { tokens: Token }
    /// The sessions of an account.
    Sessions { sessions: Session }
    /// A part of the log of events.
    Events { events: Event }
    /// A part of the list of events that could not be handed on.
    Undelivered { events: UndeliveredEvent }
    /// The webhooks.
    Webhooks { webhooks: Webhook }
    /// A part of the list of what was sent to a webhook.
    Deliveries { deliveries: Delivery }
    /// A part of the audit chain.
    Chain { entries: ChainEntry }
    /// A part of the audit trail.
    Trail { entries: AuditEntry }
}

/// A part of the results of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Results {
    /// The items of this part.
    pub results: Vec<SearchResult>,
    /// The address of the next part; null in the last one.
    #[cfg_attr(feature = "openapi", schema(format = "uri-reference", required = true))]
    pub next: Option<String>,
    /// How many pages there are in all parts.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub total: i64,
    /// Whether no more pages match: of pages with a frequent word, only some are ranked and counted.
    pub total_is_exact: bool,
}
