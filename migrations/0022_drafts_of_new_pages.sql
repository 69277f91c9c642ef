-- A draft of a new page knows where the page comes to be, and whether its text began as a template.
ALTER TABLE drafts
  ADD COLUMN parent_id bigint,
  ADD COLUMN space_id bigint,
  ADD COLUMN from_template boolean NOT NULL DEFAULT false;
