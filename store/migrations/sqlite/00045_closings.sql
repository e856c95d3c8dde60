-- +goose Up
-- issue is NULL where the closing has none. issue_year is the year of the period, in which issues are numbered.
CREATE TABLE closings (
    jurisdiction TEXT NOT NULL,
    kind TEXT NOT NULL,
    plan TEXT NOT NULL,
    row_code TEXT NOT NULL,
    period TEXT NOT NULL,
    version INTEGER NOT NULL,
    on_date TEXT NOT NULL,
    seq INTEGER NOT NULL,
    issue INTEGER,
    issue_year INTEGER,
    notice TEXT NOT NULL,
    frozen TEXT NOT NULL,
    PRIMARY KEY (jurisdiction, kind, plan, row_code, period, version),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE UNIQUE INDEX closings_issue ON closings (jurisdiction, kind, plan, row_code, issue_year, issue);
