-- Files that somebody adds to a page that is not saved yet. Only they may read them, until they save a page that shows them: then
-- the files are that page's.

ALTER TABLE files ALTER COLUMN post_id DROP NOT NULL;
ALTER TABLE files ADD CONSTRAINT files_are_somebodys CHECK (post_id IS NOT NULL OR user_id IS NOT NULL);
-- The same file again is no second one, as in a page.
CREATE UNIQUE INDEX files_waiting_key ON files (user_id, name, blob_id) WHERE post_id IS NULL;
CREATE INDEX files_waiting ON files (created_time) WHERE post_id IS NULL;

-- A page is told of its files when they are its own.
DROP TRIGGER files_logged ON files;
CREATE TRIGGER files_logged AFTER INSERT ON files FOR EACH ROW WHEN (NEW.post_id IS NOT NULL)
  EXECUTE FUNCTION log_added_file();
CREATE TRIGGER files_logged_later AFTER UPDATE OF post_id ON files FOR EACH ROW
  WHEN (OLD.post_id IS NULL AND NEW.post_id IS NOT NULL) EXECUTE FUNCTION log_added_file();

-- Files go 30 days after their page was deleted, and those of no page when they are as old.
CREATE OR REPLACE FUNCTION sweep_files() RETURNS void LANGUAGE sql AS $$
  DELETE FROM files WHERE id IN (
    SELECT files.id FROM files JOIN posts ON posts.id = files.post_id
    WHERE posts.deleted_time < now() - interval '30 days' ORDER BY files.id LIMIT 16 FOR UPDATE OF files SKIP LOCKED);
  DELETE FROM files WHERE id IN (
    SELECT id FROM files WHERE post_id IS NULL AND created_time < now() - interval '30 days'
    ORDER BY created_time LIMIT 16 FOR UPDATE SKIP LOCKED);
$$;
