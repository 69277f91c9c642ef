-- What changed lately, over all pages.

CREATE INDEX revisions_by_time ON revisions (created_time, post_id, version);
CREATE INDEX revisions_by_user ON revisions (user_id, created_time, post_id, version);
