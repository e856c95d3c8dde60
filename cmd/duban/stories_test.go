package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"duban/jobs/civil"
	"duban/jobs/task"
	"duban/jobs/workday"
	"duban/notify/compose"
	"duban/notify/mail/mailtest"
	"duban/notify/notice"
	"duban/store"
	"duban/store/storetest"
	"duban/testdata"
)

// TestStories runs every story of testdata/scenarios through the command line, on each engine. testdata/scenarios/README.md
// says how they are written.
func TestStories(t *testing.T) {
	t.Parallel()
	if !timed {
		t.Skip("the race detector makes half an hour of them, and what they tell of is not concurrent; the gate tells them without it, on both engines")
	}
	files, err := filepath.Glob("../../testdata/scenarios/*.txt")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d stories (%v): want twelve at least", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			for _, e := range storetest.Engines(t) {
				t.Run(e.Name, func(t *testing.T) {
					t.Parallel()
					s := newTelling(t, e)
					s.tell(string(text))
					s.always()
				})
			}
		})
	}
}

// telling is one story on its way.
type telling struct {
	*desk
	store  *store.Store
	line   string
	at     int
	vars   map[string]string
	said   string          // by the last command
	letter string          // subject and text of the letter at hand
	papers []*notice.Paper // of the same
	server *mailtest.Server
}

func newTelling(t *testing.T, e storetest.Engine) *telling {
	t.Helper()
	d := newDesk(t, "2024-01-02")
	dsn := e.DSN(t)
	d.env["DUBAN_DATABASE_DSN"] = urlOf(dsn)
	d.ok("migrate")
	return &telling{desk: d, store: storetest.Reopen(t, dsn), vars: map[string]string{}}
}

// fatalf ends the story at the line at hand.
func (s *telling) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("line %d, %q: %s", s.at, s.line, fmt.Sprintf(format, args...))
}

func (s *telling) tell(text string) {
	s.t.Helper()
	in := bufio.NewScanner(strings.NewReader(text))
	for in.Scan() {
		s.at++
		if s.line = strings.TrimSpace(in.Text()); s.line == "" || strings.HasPrefix(s.line, "#") {
			continue
		}
		words := s.words(s.line)
		if words[0] == "file" {
			s.write(words[1], in)
			continue
		}
		s.do(words)
	}
}

// words parts a line at its spaces, but for those in double quotes, and fills in what was named before.
func (s *telling) words(line string) []string {
	var out []string
	var b strings.Builder
	quoted, some := false, false
	for _, r := range line {
		switch {
		case r == '"':
			quoted, some = !quoted, true
		case r == ' ' && !quoted:
			if some {
				out = append(out, b.String())
			}
			b.Reset()
			some = false
		default:
			b.WriteRune(r)
			some = true
		}
	}
	if some {
		out = append(out, b.String())
	}
	for i, w := range out {
		for name, value := range s.vars {
			w = strings.ReplaceAll(w, "$"+name, value)
		}
		out[i] = strings.ReplaceAll(w, "$DIR", s.dir)
	}
	return out
}

// write takes the lines up to "end" as a file.
func (s *telling) write(name string, in *bufio.Scanner) {
	var b strings.Builder
	for in.Scan() {
		s.at++
		if strings.TrimSpace(in.Text()) == "end" {
			s.file(name, strings.ReplaceAll(b.String(), "$DIR", s.dir))
			return
		}
		b.WriteString(in.Text() + "\n")
	}
	s.fatalf("the file has no end")
}

func (s *telling) do(w []string) {
	rest := strings.TrimSpace(strings.TrimPrefix(s.line, w[0]))
	switch w[0] {
	case "on":
		s.on(w[1])
	case "days":
		for d := civil.MustParse(w[1]); d <= civil.MustParse(w[2]); d++ {
			s.on(d.String())
			s.day(append([]string{"run", "all"}, w[3:]...))
		}
	case "plans":
		s.plans(w[1])
	case "duban":
		s.run(exitDone, w[1:])
	case "refused": // refused CODE duban …
		s.run(int(w[1][0]-'0'), w[3:])
	case "says":
		s.holds("the program's answer", s.said, rest)
	case "letter":
		s.letter = s.theLetter(w[1], w[2], w[3])
		if s.letter == "" {
			s.fatalf("there is no such letter; there are\n%s", s.letters())
		}
	case "reads":
		s.holds("the letter", s.letter, rest)
	case "no": // no letter KIND UNIT DATE; no document KIND UNIT
		switch {
		case w[1] == "document" && len(s.documents(w[2], w[3])) > 0:
			s.fatalf("there is one")
		case w[1] == "document":
		default:
			if got := s.theLetter(w[2], w[3], w[4]); got != "" {
				s.fatalf("there is one:\n%s", got)
			}
		}
	case "document": // document NAME KIND UNIT
		s.vars[w[1]] = s.document(w[2], w[3])
	case "entry": // entry NAME OBLIGATION EVENT
		s.vars[w[1]] = s.entry(w[2], w[3])
	case "silence": // silence NAME SUBJECT
		s.vars[w[1]] = s.silence(w[2])
	case "frozen": // frozen PERIOD VERSION, of a row: PLAN/ROW@PERIOD
		s.letter = s.frozen(w[1], w[2])
	case "adds": // adds up
		if s.addsUp() == 0 {
			s.fatalf("the letter counts nothing\n%s", s.letter)
		}
	case "each": // each KIND adds up
		s.each(w[1])
	case "only": // only UNIT… read WORDS
		s.only(w[1:slices.Index(w, "read")], strings.Join(w[slices.Index(w, "read")+1:], " "))
	case "mail": // mail server
		s.mailServer()
	case "address": // address ADDRESS refused|mended
		s.address(w[1], w[2])
	case "state": // state OBLIGATION DAY WORDS
		if got := s.state(w[1], w[2]); got != strings.Join(w[3:], " ") {
			s.fatalf("it is %q", got)
		}
	default:
		s.fatalf("there is no such word")
	}
}

// run calls the program, as the person of the story does.
func (s *telling) run(want int, args []string) {
	s.t.Helper()
	if code := s.answer(args); code != want {
		s.fatalf("duban %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, s.said)
	}
}

// day runs one day of many. That the mail server refused a letter for good fails the command, and is part of the story.
func (s *telling) day(args []string) {
	if code := s.answer(args); code != exitDone && (s.server == nil || code != exitFailed || !strings.Contains(s.said, "were refused for good")) {
		s.fatalf("duban %s: exit %d\n%s", strings.Join(args, " "), code, s.said)
	}
}

func (s *telling) answer(args []string) (code int) {
	s.t.Helper()
	args = slices.Clone(args)
	for i, arg := range args { // a file that the story wrote is named by its name alone
		if path := filepath.Join(s.dir, arg); filepath.Ext(arg) != "" && filepath.Base(arg) == arg {
			if _, err := os.Stat(path); err == nil {
				args[i] = path
			}
		}
	}
	code, out, errOut := s.call("", args...)
	s.said = out + errOut
	return code
}

// plans imports the bundled units, plan and people of a jurisdiction, and puts its bundled policy in force.
func (s *telling) plans(code string) {
	b, err := fs.ReadFile(testdata.FS, path.Join("plans", code, "policy.yaml"))
	if err != nil {
		s.fatalf("%v", err)
	}
	s.env["DUBAN_DEFAULTS_POLICY"] = s.file(code+"-policy.yaml", string(b))
	for _, kind := range []string{"units", "plan", "people"} {
		files, err := fs.Glob(testdata.FS, path.Join("plans", code, kind+".*"))
		if err != nil || len(files) != 1 {
			s.fatalf("%v %v", files, err)
		}
		b, err := fs.ReadFile(testdata.FS, files[0])
		if err != nil {
			s.fatalf("%v", err)
		}
		name := s.file(path.Base(files[0]), string(b))
		s.run(exitDone, []string{"import", kind, name, "--jurisdiction", code})
	}
}

// holds looks for words in a text, whatever the spaces and line ends; "not …" must not be there.
func (s *telling) holds(what, text, words string) {
	s.t.Helper()
	words, not := strings.CutPrefix(words, "not ")
	for name, value := range s.vars {
		words = strings.ReplaceAll(words, "$"+name, value)
	}
	if squeeze(words) == "" {
		s.fatalf("it looks for nothing")
	}
	if strings.Contains(squeeze(text), squeeze(words)) == not {
		s.fatalf("%s is\n%s", what, text)
	}
}

func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\n' || r == '\r' || r == '\t' || r == '　' }), "")
}

// theLetter is the subject, the state and the text of a letter, or nothing.
func (s *telling) theLetter(kind, unit, day string) string {
	d := civil.MustParse(day)
	found, err := s.store.Notices(s.t.Context(), notice.Filter{Unit: unit, From: d, To: d})
	if err != nil {
		s.fatalf("%v", err)
	}
	found = slices.DeleteFunc(found, func(n notice.Notice) bool { return n.Key.Kind != kind })
	var b strings.Builder
	s.papers = nil
	for _, n := range found {
		s.vars["LETTER"] = n.ID
		if n.Facts.Paper != nil {
			s.papers = append(s.papers, n.Facts.Paper)
		}
		fmt.Fprintf(&b, "state: %s\nreason: %s\n", n.State, n.Reason)
		for _, to := range n.Facts.Recipients {
			fmt.Fprintf(&b, "to: %s %s copy=%t\n", to.Role, to.Email, to.Copy)
		}
		if len(n.Facts.Recipients) == 0 { // nobody to write to: composed for the eye alone
			n.Facts.Recipients = []notice.Recipient{{Role: n.Key.Role, Email: "nobody@example.com"}}
		}
		msg, err := compose.Compose(n, 0, compose.Mail{FromAddress: "duban@sfj.example"})
		if err != nil {
			s.fatalf("%v", err)
		}
		fmt.Fprintf(&b, "subject: %s\n%s\n", msg.Subject, msg.Text)
	}
	return b.String()
}

func (s *telling) letters() string {
	all, err := s.store.Notices(s.t.Context(), notice.Filter{Bare: true})
	if err != nil {
		s.fatalf("%v", err)
	}
	var b strings.Builder
	for _, n := range all {
		fmt.Fprintf(&b, "%s %s %s %s\n", n.Key.Kind, n.Key.Unit, n.Key.Date, n.State)
	}
	return b.String()
}

// document is the ID of the newest document of the kind to the unit.
func (s *telling) document(kind, unit string) string {
	docs := s.documents(kind, unit)
	if len(docs) == 0 {
		s.fatalf("there is no such document")
	}
	return docs[len(docs)-1].ID
}

func (s *telling) documents(kind, unit string) []notice.Document {
	docs, err := s.store.Documents(s.t.Context(), notice.DocumentFilter{Kind: kind, Unit: unit})
	if err != nil {
		s.fatalf("%v", err)
	}
	return docs
}

// entry is the seq of the newest event of the kind of an obligation.
func (s *telling) entry(id, kind string) string {
	ref, err := task.ParseRef(id)
	if err != nil {
		s.fatalf("%v", err)
	}
	rec, err := s.store.Record(s.t.Context(), ref)
	if err != nil {
		s.fatalf("%v", err)
	}
	for _, e := range slices.Backward(rec.Events) {
		if string(e.Kind) == kind {
			return fmt.Sprint(e.Seq)
		}
	}
	s.fatalf("nothing of the kind was entered: %v", rec.Events)
	return ""
}

// silence is the ID of the newest silence over a subject, as the list has it.
func (s *telling) silence(subject string) string {
	all, err := s.store.Jurisdictions(s.t.Context())
	if err != nil {
		s.fatalf("%v", err)
	}
	for _, j := range all {
		silences, err := s.store.Silences(s.t.Context(), j.Code)
		if err != nil {
			s.fatalf("%v", err)
		}
		for _, q := range slices.Backward(silences) {
			if q.Subject == subject && q.Lifts == 0 {
				return fmt.Sprintf("%s/%d", j.Code, q.Seq)
			}
		}
	}
	s.fatalf("there is no such silence")
	return ""
}

// frozen is what the register keeps of a closed period, as it is stored. A period of a row is PLAN/ROW@PERIOD.
func (s *telling) frozen(period, version string) string {
	duty, key, of := strings.Cut(period, "@")
	if !of {
		duty, key = "", period
	}
	all, err := s.store.Jurisdictions(s.t.Context())
	if err != nil {
		s.fatalf("%v", err)
	}
	for _, j := range all {
		closings, err := s.store.Closings(s.t.Context(), j.Code, "")
		if err != nil {
			s.fatalf("%v", err)
		}
		for _, c := range closings {
			if c.Period == key && fmt.Sprint(c.Version) == version && strings.Trim(c.Plan+"/"+c.Row, "/") == duty {
				return c.Frozen
			}
		}
	}
	s.fatalf("there is no such closing")
	return ""
}

// counted finds a list of counts with its sum: 应报5项次：已办结2、超期3，合计5项次; part is one of them.
var (
	counted = regexp.MustCompile(`([0-9]+)(项次|项|家次|家|人)[^。；：]*：([^。；：]*)，合计([0-9]+)(项次|项|家次|家|人)`)
	part    = regexp.MustCompile(`[^0-9、]([0-9]+)(?:项次|项|家次|家|人)?(?:、|$)`)
)

// addsUp adds up every list of counts of the letter at hand that says its sum, and every table that ends in one. It
// returns how many there are.
func (s *telling) addsUp() (sums int) {
	for _, p := range s.papers {
		for _, sec := range p.Sections {
			if sec.Table != nil {
				sums += s.tableAddsUp(*sec.Table)
			}
		}
		for _, sheet := range p.Sheets {
			sums += s.tableAddsUp(sheet.Table)
		}
	}
	lists := counted.FindAllStringSubmatch(strings.NewReplacer("中，", "：").Replace(squeeze(s.letter)), -1)
	for _, l := range lists {
		sum := 0
		for _, p := range part.FindAllStringSubmatch(l[3], -1) {
			n, err := strconv.Atoi(p[1])
			if err != nil {
				s.fatalf("%v", err)
			}
			sum += n
		}
		if got := fmt.Sprint(sum); got != l[1] || got != l[4] || l[2] != l[5] {
			s.fatalf("%s: the parts come to %d\n%s", l[0], sum, s.letter)
		}
	}
	return sums + len(lists)
}

// always holds of every story: letters are of working days, a unit has one ordinary letter a day, none shouts or greets, and
// what counts adds up.
func (s *telling) always() {
	s.line = "(the end)"
	all, err := s.store.Notices(s.t.Context(), notice.Filter{Bare: true})
	if err != nil {
		s.fatalf("%v", err)
	}
	cal := workday.National()
	seen := map[string]bool{}
	for _, n := range all {
		k := n.Key
		if !cal.IsWorkday(k.Date) {
			s.fatalf("a %s to %s of %s, a day off", k.Kind, k.Unit, k.Date)
		}
		if k.Kind == notice.UnitLetter && seen[k.Kind+k.Unit+k.Date.String()] {
			s.fatalf("%s has two letters of %s", k.Unit, k.Date)
		}
		if seen[k.Kind+k.Unit+k.Date.String()] { // looked at already: theLetter takes all of a day
			continue
		}
		seen[k.Kind+k.Unit+k.Date.String()] = true
		s.letter = s.theLetter(k.Kind, k.Unit, k.Date.String())
		for _, never := range []string{"您好", "！", "!"} {
			if strings.Contains(s.letter, never) {
				s.fatalf("a letter says %s:\n%s", never, s.letter)
			}
		}
		if slices.Contains([]string{notice.BureauDigest, notice.Summary, notice.Bulletin}, k.Kind) {
			s.addsUp()
		}
	}
}

// tableAddsUp adds up the numbers of each column of a table whose last row is 合计.
func (s *telling) tableAddsUp(t notice.Table) (sums int) {
	if len(t.Rows) == 0 || t.Rows[len(t.Rows)-1][0].Text != "合计" {
		return 0
	}
	last := t.Rows[len(t.Rows)-1]
	for i, c := range t.Columns {
		if i >= len(last) || !c.Numeric || last[i].Text != "" {
			continue
		}
		sum := int64(0)
		for _, row := range t.Rows[:len(t.Rows)-1] {
			sum += row[i].N
		}
		if sums++; sum != last[i].N {
			s.fatalf("%s: the rows come to %d, the table says %d\n%s", c.Name, sum, last[i].N, s.letter)
		}
	}
	return sums
}

// each adds up every letter of the kind.
func (s *telling) each(kind string) {
	all, err := s.store.Notices(s.t.Context(), notice.Filter{Bare: true})
	if err != nil {
		s.fatalf("%v", err)
	}
	days, sums := map[string]bool{}, 0
	for _, n := range all {
		if k := n.Key.Unit + n.Key.Date.String(); n.Key.Kind == kind && !days[k] {
			days[k] = true
			s.letter = s.theLetter(kind, n.Key.Unit, n.Key.Date.String())
			sums += s.addsUp()
		}
	}
	if sums == 0 {
		s.fatalf("there is no such letter, or none that counts")
	}
}

// only makes sure that words stand in letters to these units and in no other letter, its tables and files included.
func (s *telling) only(units []string, words string) {
	all, err := s.store.Notices(s.t.Context(), notice.Filter{})
	if err != nil {
		s.fatalf("%v", err)
	}
	found := 0
	for _, n := range all {
		facts, err := json.Marshal(n.Facts)
		switch {
		case err != nil:
			s.fatalf("%v", err)
		case !strings.Contains(string(facts), words):
		case !slices.Contains(units, n.Key.Unit):
			s.fatalf("the %s to %s of %s holds it", n.Key.Kind, n.Key.Unit, n.Key.Date)
		default:
			found++
		}
	}
	if found == 0 {
		s.fatalf("no letter holds it")
	}
}

// mailServer lets letters leave through a mail server instead of into a folder.
func (s *telling) mailServer() {
	s.server = mailtest.Serve(s.t, mailtest.Config{Extensions: mailtest.AllExtensions()})
	for k, v := range map[string]string{
		"TRANSPORT": "smtp", "FROM_ADDRESS": "duban@sfj.example", "SMTP_HOST": s.server.Host(), "SMTP_PORT": strconv.Itoa(s.server.Port()), "SMTP_TLS": "none",
	} {
		s.env["DUBAN_MAIL_"+k] = v
	}
	s.env["DUBAN_MAIL_ARCHIVE_DIR"] = filepath.Join(s.dir, "archive")
}

// address lets the mail server refuse an address for good, or take all again.
func (s *telling) address(to, fate string) {
	switch fate {
	case "refused":
		s.server.SetFaults(mailtest.Fault{Phase: mailtest.AtRcpt, To: to, Action: mailtest.Refusal(550, "5.1.1 no such user")})
	case "lost": // after the final dot: whether it came nobody knows
		s.server.SetFaults(mailtest.Fault{Phase: mailtest.AtDot, To: to, Action: mailtest.AcceptThenDrop()})
	case "mended":
		s.server.SetFaults()
	default:
		s.fatalf("an address is refused, lost or mended")
	}
}
