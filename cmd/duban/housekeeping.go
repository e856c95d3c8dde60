package main

import "github.com/spf13/cobra"

func (a *app) housekeepingCmd() *cobra.Command {
	return &cobra.Command{Use: "housekeeping", Short: "Remove what is older than the configured retention and nothing needs any more"}
}
