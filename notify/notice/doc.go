// Package notice holds what leaves duban: one letter to one reader for one logical date, with the facts frozen in it,
// and the state machine a letter goes through.
//
// Next is that machine, the only way from one state to another. The store applies it with a fence: the state and, where
// a worker holds the letter, the token of its lease stand in the WHERE clause, so that whoever lost a letter cannot
// settle it.
//
//	          hold                        claim                     deliver
//	held ◀──────────── pending, retry ─────────────▶ sending ───────────────────▶ sent
//	 │    release ▶ pending   ▲   ▲                  │ │ │ │                       ▲ ▲
//	 │                        │   │  put-back ▶ pending│ │ │  refuse               │ │
//	 │                        │   └──────────────────┘ │ │ └──────────▶ failed ────┘ │
//	 │                        │   defer, expire ▶ retry│ │    resolve    │           │
//	 │                        │◀───────────────────────┘ │ break, vanish │           │
//	 │                        │  resend ▶ retry          ▼               │  resolve  │
//	 │                        │◀─────────────────────── unknown ─────────┼───────────┘
//	 │                        │  resend ▶ retry                          │
//	 │                        │◀─────────────────────────────────────────┘
//	 │
//	 └ supersede (also pending, retry, failed) ▶ superseded
//	   cancel (also pending, retry, sending, failed, unknown) ▶ cancelled
//
// sent, superseded and cancelled are the end. retry, held, failed and unknown say in words what they wait for.
package notice
