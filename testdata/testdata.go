// Package testdata holds the bundled plans: the five seed documents kept as ledgers a justice bureau would keep, each
// with its units, unit groups, contacts, roster of enforcement staff, their training, events, and policy. Rows, units and deadlines are those of the
// documents; titles are our own, and every person and address is invented. See plans/README.md.
package testdata

import "embed"

// FS holds plans/README.md and plans/JURISDICTION/{plan.xlsx or plan.csv, units.csv, people.csv, training.csv, events.csv, policy.yaml} for
// laoshan, changji, sishui, jinan and gangcheng.
//
//go:embed plans
var FS embed.FS
