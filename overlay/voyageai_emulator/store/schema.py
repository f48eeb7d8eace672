"""The tables.

A change of them is a new `VERSION`: a state file of another version is refused.
"""

from __future__ import annotations

__all__ = ["APPLICATION", "TABLES", "VERSION"]

APPLICATION = 0x766F7961
"""What marks a database as an emulator's."""
VERSION = 1

TABLES = """
CREATE TABLE files (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  filename TEXT NOT NULL,
  purpose TEXT NOT NULL,
  bytes INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER,  -- null while it is being written: nobody sees it
  expires_at INTEGER
);
CREATE INDEX files_by_owner ON files (owner, created_at, number);
CREATE TABLE pieces (
  file INTEGER NOT NULL REFERENCES files (number) ON DELETE CASCADE,
  start INTEGER NOT NULL,
  content BLOB NOT NULL,
  UNIQUE (file, start)
);
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  platform TEXT,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  input_file_id TEXT NOT NULL,
  input_file INTEGER NOT NULL,
  completion_window TEXT NOT NULL,
  request_params TEXT NOT NULL,
  metadata TEXT,
  status TEXT NOT NULL,
  errors TEXT,
  validated INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  completed INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  output_file INTEGER,
  error_file INTEGER,
  output_file_id TEXT,
  error_file_id TEXT,
  created_at INTEGER NOT NULL,
  expected_completion_at INTEGER NOT NULL,
  in_progress_at INTEGER,
  finalizing_at INTEGER,
  completed_at INTEGER,
  failed_at INTEGER,
  cancelling_at INTEGER,
  cancelled_at INTEGER
);
CREATE INDEX jobs_by_owner ON jobs (owner, number);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE INDEX jobs_by_input ON jobs (input_file);
-- Lines whose answers are written, by the group in which they were. That a group begins where
-- another has begun is an error, so no line is answered twice.
CREATE TABLE answered (
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  first_line INTEGER NOT NULL,
  next_line INTEGER NOT NULL,
  next_start INTEGER NOT NULL,
  PRIMARY KEY (job, first_line)
) WITHOUT ROWID;
"""
