package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"duban/jobs/civil"
	"duban/notify"
	"duban/notify/notice"
	"duban/store"
)

// heldLetter is a letter that waits for a person.
type heldLetter struct {
	id     string
	key    notice.Key
	mute   bool // nobody is there to read it
	reason string
}

func heldOf(n notice.Notice) heldLetter {
	return heldLetter{n.ID, n.Key, len(n.Facts.Recipients) == 0, notify.MaskAll(n.Reason)}
}

// said is the reason, which names the letter itself nowhere: a draft's does, and it is the same for all drafts.
func (l heldLetter) said() string { return strings.ReplaceAll(l.reason, l.id, "ID") }

// do says what a person types about it on a day.
func (l heldLetter) do(today civil.Date) string {
	const over = "duban outbox resolve ID --served-otherwise --by NAME --why TEXT where it was handed over, duban outbox cancel ID --by NAME --why TEXT where it is past"
	switch {
	case l.key.Formal():
		return "" // its reason says it
	case l.key.Kind == notice.PersonnelLetter && (l.mute || l.key.Date < today): // it tells of its day, and is not released after it
		return "duban run personnel --again --jurisdiction " + l.key.Jurisdiction + " writes it of today once that is mended; " + over
	case l.mute:
		return "duban import units FILE with the address, and a later letter says it; duban outbox cancel ID --by NAME --why TEXT where it is past"
	}
	return "duban outbox release ID --by NAME"
}

// stays are letters of a range that were not recorded and do not leave before a person has decided.
type stays struct {
	Jurisdiction string `json:"jurisdiction"`
	Kind         string `json:"kind"`
	Letters      int    `json:"letters"`
	First        string `json:"first"` // ID of the first
	Reason       string `json:"reason"`
	Do           string `json:"do,omitempty"` // what a person types; none: the reason says it
}

// groupStays puts letters together that wait for the same, in the order of the first of each.
func groupStays(letters []heldLetter, today func(code string) civil.Date) []stays {
	out := []stays{}
	for _, l := range letters {
		s := stays{Jurisdiction: l.key.Jurisdiction, Kind: l.key.Kind, First: l.id, Reason: l.said(), Do: l.do(today(l.key.Jurisdiction))}
		i := slices.IndexFunc(out, func(o stays) bool {
			return o.Jurisdiction == s.Jurisdiction && o.Kind == s.Kind && o.Reason == s.Reason && o.Do == s.Do
		})
		if i < 0 {
			i = len(out)
			out = append(out, s)
		}
		out[i].Letters++
	}
	return out
}

// held are the letters of the range that wait for a person in the database, or will, in the copy that it was gone through on.
func (a *app) held(ctx context.Context, s *store.Store, sp span) ([]stays, error) {
	var all []heldLetter
	for _, code := range sp.codes {
		err := a.eachLetter(ctx, s, notice.Filter{Jurisdiction: code, State: notice.Held, From: sp.from, To: sp.to}, func(n notice.Notice) error {
			if n.NextTry.IsZero() && n.Key.Kind != notice.Operations {
				all = append(all, heldOf(n))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return groupStays(all, a.today), nil
}

// sayStays names the letters that wait for a person, why, and how to go on.
func (a *app) sayStays(sp span, groups []stays) {
	n := 0
	for _, g := range groups {
		n += g.Letters
	}
	if n == 0 {
		return
	}
	a.say("%s of the range held for a person: not recorded, not sent, and served on nobody", many(n, "letter"))
	for _, g := range groups {
		a.say("  %s: %d %s, the first %s: %s", g.Jurisdiction, g.Letters, g.Kind, g.First, g.Reason)
		if g.Do != "" {
			a.say("    %s", g.Do)
		}
	}
	only := ""
	if len(sp.codes) == 1 {
		only = fmt.Sprintf(" --jurisdiction %s", sp.codes[0])
	}
	a.say("  all of them: duban outbox list --state held --from %s --to %s%s", sp.from, sp.to, only)
}
