-- Files: what pages show and offer beside their text. Each belongs to a page, and who may read the page may read it.

-- The bytes, each content once. Without a hash they are still arriving, or broke off.
CREATE TABLE blobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sha256 bytea CONSTRAINT blobs_sha256_is_one CHECK (octet_length(sha256) = 32),
  size bigint NOT NULL DEFAULT 0,
  -- Since when no file has them; null of those that one has.
  unused_since timestamptz DEFAULT now()
);
CREATE UNIQUE INDEX blobs_sha256_key ON blobs (sha256);
CREATE INDEX blobs_unused ON blobs (unused_since) WHERE unused_since IS NOT NULL;

-- All but the last have the same size: `src/store/blobs.rs` says which.
CREATE TABLE blob_chunks (
  blob_id bigint NOT NULL REFERENCES blobs ON DELETE CASCADE,
  number bigint NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (blob_id, number)
);
-- Pictures and archives are compressed already.
ALTER TABLE blob_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE files (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  post_id bigint NOT NULL REFERENCES posts,
  blob_id bigint NOT NULL REFERENCES blobs,
  -- Who added it; null if that is not known.
  user_id bigint REFERENCES users,
  name text NOT NULL,
  content_type text NOT NULL,
  -- Of a picture, in pixels.
  width bigint,
  height bigint,
  created_time timestamptz NOT NULL DEFAULT now()
);
-- The same file again, as after a timeout, is no second one.
CREATE UNIQUE INDEX files_key ON files (post_id, name, blob_id);
CREATE INDEX files_by_page ON files (post_id, id);
CREATE INDEX files_by_blob ON files (blob_id);

-- Bytes that lose their last file are kept for a while. A file that gets them meanwhile waits for the lock, or is seen.
CREATE FUNCTION leave_blob() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM blobs WHERE id = OLD.blob_id FOR UPDATE;
  UPDATE blobs SET unused_since = now()
  WHERE id = OLD.blob_id AND NOT EXISTS (SELECT FROM files WHERE files.blob_id = OLD.blob_id);
  RETURN NULL;
END
$$;
CREATE TRIGGER files_left AFTER DELETE ON files FOR EACH ROW EXECUTE FUNCTION leave_blob();

-- Writes the event of a file.
CREATE FUNCTION log_file(kind text, file files, user_id bigint) RETURNS void LANGUAGE sql AS $$
  SELECT log_event('page-events', file.post_id::text, 'wasiki.file.' || kind, '/posts/' || file.post_id || '/files', false,
    jsonb_build_object(
      'file_id', file.id, 'post_id', file.post_id, 'user_id', log_file.user_id, 'name', file.name,
      'content_type', file.content_type, 'size', (SELECT size FROM blobs WHERE blobs.id = file.blob_id)))
$$;

CREATE FUNCTION log_added_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM log_file('added', NEW, NEW.user_id);
  RETURN NULL;
END
$$;
CREATE TRIGGER files_logged AFTER INSERT ON files FOR EACH ROW EXECUTE FUNCTION log_added_file();

-- Removes some of the bytes that no file has had for a day. While there are none, this is a look at an index.
CREATE FUNCTION sweep_blobs() RETURNS void LANGUAGE sql AS $$
  DELETE FROM blobs WHERE id IN (
    SELECT id FROM blobs WHERE unused_since < now() - interval '1 day' ORDER BY unused_since LIMIT 4
    FOR UPDATE SKIP LOCKED);
$$;

-- The same for the files of pages that were deleted 30 days ago.
CREATE FUNCTION sweep_files() RETURNS void LANGUAGE sql AS $$
  DELETE FROM files WHERE id IN (
    SELECT files.id FROM files JOIN posts ON posts.id = files.post_id
    WHERE posts.deleted_time < now() - interval '30 days' ORDER BY files.id LIMIT 16 FOR UPDATE OF files SKIP LOCKED);
$$;

COMMENT ON FUNCTION log_file(text, files, bigint) IS
  'Writes the event of a file. It leaves its session as it was.';
COMMENT ON FUNCTION sweep_blobs() IS
  'Removes bytes that no file has. It leaves its session as it was.';
COMMENT ON FUNCTION sweep_files() IS
  'Removes files of pages that were deleted long ago. It leaves its session as it was.';
