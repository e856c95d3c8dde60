// Package notice holds what leaves duban: one letter to one reader for one logical date, with the facts frozen in it,
// and the state machine a letter goes through.
//
// Next is that machine, the only way from one state to another. The store applies it with a fence: the state and, where
// a worker holds the letter, the token of its lease stand in the WHERE clause, so that whoever lost a letter cannot
// settle it.
//
//	               planned
//	                  │
//	     hold         ▼        claim             deliver
//	held ◀───────  pending ──────────▶ sending ───────────▶ sent ◀─────┐
//	  │ release       ▲ ▲                │ ▲ │                         │ resolve
//	  └───────────────┘ └────────────────┘ │ │ refuse                  │ (a person)
//	                         put-back      │ ├───────────▶ failed ─────┤
//	                                       │ │ break,       │ reopen   │
//	     hold                 claim        │ │ vanish       │          │
//	held ◀───────  retry ──────────────────┘ ├───────────▶ unknown ────┘
//	                 ▲ ▲                     │              │ resend
//	                 │ └─────────────────────┘              │ (once by itself,
//	                 │       defer, expire                  │  then a person)
//	                 └──────────────────────────────────────┘
//
//	superseded: a later letter took over what pending, retry, held or failed had to say
//	cancelled:  nothing is left to say in it, or a person says so
//	recorded:   its day was filled in afterwards; it was planned, never sent, and counts as served on its day
//
// Every transition, by the state it leaves:
//
//	pending  claim → sending, hold → held, record → recorded, prove → sent, supersede → superseded, cancel → cancelled
//	retry    claim → sending, hold → held, hasten → retry, prove → sent, supersede → superseded, cancel → cancelled
//	held     release → pending, resolve → sent, prove → sent, supersede → superseded, cancel → cancelled
//	sending  deliver → sent, defer → retry, refuse → failed, break → unknown, expire → retry, vanish → unknown, put-back → pending, cancel → cancelled
//	unknown  resend → retry, resolve → sent, prove → sent, cancel → cancelled
//	recorded dispatch → pending, supersede → superseded
//	failed   reopen → retry, resolve → sent, prove → sent, supersede → superseded, cancel → cancelled
//
// sent, superseded and cancelled are the end, and recorded where nothing of its backfill is to leave. retry, held, failed and unknown say in words what they wait for.
package notice
