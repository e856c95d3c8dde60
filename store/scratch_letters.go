package store

import (
	"context"
	"slices"
	"strings"

	"duban/notify/notice"
)

// mostReason bounds what is kept in words, in runes.
const mostReason = 500

// sayAgain gives the letters that were taken back the words they had: those that attempts brought where they stand, as
// the worker puts it that has the answers, and those that are drafts, which bear no number.
func (t *tx) sayAgain(ctx context.Context) error {
	tried := []string{}
	err := t.SelectContext(ctx, &tried, "SELECT id FROM notices WHERE id IN (SELECT id FROM back) AND reason = '' AND state IN (?, ?, ?, ?) AND "+
		last("n", "attempts")+" IS NOT NULL ORDER BY id", string(notice.Retry), string(notice.Failed), string(notice.Unknown), string(notice.Sent))
	if err != nil {
		return err
	}
	var drafts []string
	if err := t.SelectContext(ctx, &drafts, "SELECT id FROM documents WHERE state = 'draft' AND id IN (SELECT id FROM back) ORDER BY id"); err != nil {
		return err
	}
	all := slices.Concat(tried, drafts)
	for piece := range slices.Chunk(all, maxIn) {
		list, err := letters(ctx, t, "WHERE id IN ("+marks(len(piece))+")", anys(piece)...)
		if err != nil {
			return err
		}
		for _, n := range list {
			if _, draft := slices.BinarySearch(drafts, n.ID); !draft {
				err = t.run(ctx, stmt("UPDATE notices SET reason = ? WHERE id = ?", clean(reasonOf(n)), n.ID))
			} else if err = t.run(ctx, stmt("UPDATE notices SET reason = ? WHERE id = ?", notice.DraftReason(n.ID), n.ID)); err == nil {
				err = t.run(ctx, stmt("UPDATE notice_facts SET facts = ? WHERE dated = ? AND notice = ?", doc[notice.Facts]{n.Facts.AsDraft(n.Key.Date)}, day(n.Key.Date), n.ID))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// reasonOf is why a letter stands where its attempts brought it.
func reasonOf(n notice.Notice) string {
	why := notice.Words(slices.Concat(n.Receipts, notice.NotBegun(n.Facts.Recipients, n.Receipts)))
	refused := slices.ContainsFunc(n.Receipts, func(r notice.Receipt) bool { return !r.Copy && r.Outcome == notice.OutcomePermanent })
	if n.State == notice.Failed && !refused && why != "" {
		why = notice.GivenUp + why
	}
	if slices.ContainsFunc(n.Receipts, func(r notice.Receipt) bool {
		return r.Recipient >= 0 && r.Recipient < len(n.Facts.Recipients) && r.Email != n.Facts.Recipients[r.Recipient].Email
	}) {
		why = strings.TrimSpace(why + " " + notice.TrialRun)
	}
	if n.Resent {
		why = strings.TrimSuffix(notice.OnceMore+"; "+why, "; ")
	}
	if r := []rune(why); len(r) > mostReason {
		why = string(r[:mostReason])
	}
	return why
}

// troubledAgain works out what was known against addresses at an instant from the attempts that are left. What nothing was
// heard of since stays, even where its attempts are gone.
func (t *tx) troubledAgain(ctx context.Context, instant string) error {
	kept, err := query[troubleRow](ctx, t, "WHERE last_at <= ? ORDER BY address", instant)
	if err != nil {
		return err
	}
	if err := t.run(ctx, stmt("DELETE FROM troubles")); err != nil {
		return err
	}
	tried, err := query[attemptRow](ctx, t, "WHERE answered_at <= ? AND lower(trim(email)) IN (SELECT lower(trim(email)) FROM attempts WHERE outcome IN (?, ?)) "+
		"ORDER BY answered_at, dated, notice, n", instant, string(notice.OutcomeTemporary), string(notice.OutcomePermanent))
	if err != nil {
		return err
	}
	if err := t.trouble(ctx, nouns(tried)); err != nil {
		return err
	}
	return insertOr(ctx, t, kept, overwrite[troubleRow](t.d))
}
