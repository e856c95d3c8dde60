-- +goose Up
CREATE TABLE obligations (
    ref TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    plan TEXT NOT NULL,
    row_code TEXT NOT NULL,
    unit TEXT NOT NULL,
    instance TEXT NOT NULL,
    kind TEXT NOT NULL,
    role TEXT NOT NULL,
    owes TEXT NOT NULL,
    label TEXT NOT NULL,
    period TEXT NOT NULL,
    opened TEXT,
    nominal TEXT,
    effective TEXT,
    assess TEXT,
    quota INTEGER NOT NULL,
    pace_from TEXT,
    past_at_issue INTEGER NOT NULL,
    inherited INTEGER NOT NULL,
    ambiguous INTEGER NOT NULL,
    provisional INTEGER NOT NULL,
    state TEXT NOT NULL,
    arm INTEGER NOT NULL,
    now_nominal TEXT,
    now_effective TEXT,
    now_assess TEXT,
    next_look TEXT,
    closed_from TEXT,
    raised TEXT,
    PRIMARY KEY (ref),
    FOREIGN KEY (jurisdiction) REFERENCES jurisdictions (code)
) STRICT;
CREATE INDEX obligations_look ON obligations (jurisdiction, next_look, closed_from, ref);
CREATE INDEX obligations_unit ON obligations (jurisdiction, unit, closed_from, raised);
CREATE INDEX obligations_task ON obligations (jurisdiction, plan, row_code, closed_from);
CREATE INDEX obligations_recent ON obligations (jurisdiction, plan, row_code, now_assess);
