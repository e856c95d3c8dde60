package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"duban/jobs/civil"
	"duban/jobs/personnel"
	"duban/jobs/task"
	"duban/notify/notice"
)

// personRow is one member of the roster; personal data is masked unless it was asked for.
type personRow struct {
	Jurisdiction string     `json:"jurisdiction"`
	Key          string     `json:"key"`
	Name         string     `json:"name"`
	Unit         string     `json:"unit"`
	Post         string     `json:"post"`
	Certificate  string     `json:"certificate"`
	ValidTo      civil.Date `json:"valid_to"`
	CertState    string     `json:"cert_state"`
	HeldFrom     civil.Date `json:"held_from"`
	HeldTo       civil.Date `json:"held_to"`
	Duty         string     `json:"duty"`
	Hours        int        `json:"hours"`
}

func (a *app) peopleCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "people", Short: "List the enforcement roster",
		Long: `The job personnel tells each unit once a month of its own people: certificates, suspensions, training hours, the
share of legal reviewers, applicants. Names and certificate numbers are masked here unless --full asks for them.`,
	}
	c.AddCommand(a.peopleListCmd())
	return c
}

func (a *app) peopleListCmd() *cobra.Command {
	var code, unit string
	var full bool
	l := lens{folds: true}
	c := &cobra.Command{
		Use: "list", Short: "The roster as of a day, names and numbers masked",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.look(c.Context(), l, code)
			if err != nil {
				return err
			}
			all, err := jurisdictions(c.Context(), s, code)
			if err != nil {
				return err
			}
			var rows []personRow
			for _, j := range all {
				people, err := s.People(c.Context(), j.Code)
				if err != nil {
					return err
				}
				d, err := a.date("as-of", l.asOf, a.today(j.Code))
				if err != nil {
					return err
				}
				for _, p := range task.PeopleAsOf(people, d) {
					if unit == "" || p.Unit == unit {
						rows = append(rows, rowOf(j.Code, p, full))
					}
				}
			}
			return list(a, rows, []string{"jurisdiction", "key", "name", "unit", "post", "certificate", "valid to", "state", "duty", "hours"}, func(p personRow) []string {
				return []string{p.Jurisdiction, p.Key, p.Name, p.Unit, p.Post, p.Certificate, p.ValidTo.String(), p.CertState, p.Duty, fmt.Sprint(p.Hours)}
			})
		},
	}
	c.Flags().StringVar(&code, "jurisdiction", "", "one jurisdiction; default all")
	c.Flags().StringVar(&unit, "unit", "", "one unit's code; default all")
	l.flags(c)
	c.Flags().BoolVar(&full, "full", false, "names and certificate numbers in full: personal data, not for a log")
	return c
}

// rowOf is a person as listed. The key is the register's own number and stays as it is.
func rowOf(code string, p task.Person, full bool) personRow {
	row := personRow{code, p.Key, p.Name, p.Unit, p.Post, p.Certificate, p.ValidTo, p.CertState, p.HeldFrom, p.HeldTo, p.Duty, p.Hours}
	if !full {
		row.Name, row.Certificate = maskName(p.Name), personnel.MaskCertificate(p.Certificate)
	}
	return row
}

// namesMayGo refuses to let a letter that names people leave for a mail domain that is not allowed.
func (a *app) namesMayGo(n notice.Notice) error {
	if n.Key.Kind != notice.PersonnelLetter {
		return nil
	}
	set, err := a.policies.settings(n.Key.Jurisdiction)
	if err != nil {
		return err
	}
	for _, to := range n.Facts.Recipients {
		if !personnel.MayName(set, to.Email) {
			return fmt.Errorf("letter %s names people, and the mail domain of its reader is not among name_domains; add it to the configuration, or hand the letter over by other means", n.ID)
		}
	}
	return nil
}

// ofToday refuses to let a letter about people leave after its day: it tells how many days are left of certificates that may
// have been renewed since.
func (a *app) ofToday(n notice.Notice) error {
	code := n.Key.Jurisdiction
	today := a.today(code)
	if n.Key.Kind != notice.PersonnelLetter || n.Key.Date >= today {
		return nil
	}
	return fmt.Errorf("release letter %s: it tells of a unit's people as of %s, and today is %s: `duban run personnel --again --jurisdiction %s` writes it anew on a working day, to be released if it is held again",
		n.ID, n.Key.Date, today, code)
}

// maskName keeps the first character, the family name as a rule: 张*.
func maskName(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return ""
	}
	return string(r[:1]) + strings.Repeat("*", max(1, len(r)-1))
}
