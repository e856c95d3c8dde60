package compose

import (
	"fmt"
	"testing"

	"duban/notify/notice"
)

// letter12KB is a letter whose HTML is about 12 KB: what a unit with many rows in the register gets.
func letter12KB() notice.Notice {
	f := base("2024-09-26")
	f.Recipients = append(f.Recipients, notice.Recipient{Role: "deputy", Name: "示例丙", Email: "fenguan@qjtj.laoshan.example", Copy: true})
	for i := range 3 {
		it := overdue(fmt.Sprint(50+i), "典型案例报送", "2024-09-13", 8)
		it.DeadlineText, it.Step, it.Rung = "根据上级部署", "T+5", "urging"
		it.Reminded, it.Urged = days("2024-09-10"), days("2024-09-18")
		f.Overdue = append(f.Overdue, it)
	}
	for i := range 6 {
		it := upcoming(fmt.Sprint(10+i), "突出问题清单和专项监督自查材料", "2024-09-30", 3, "2024-09-29")
		it.Evidence, it.Channel = "检查记录", "书面报送"
		f.Upcoming = append(f.Upcoming, it)
	}
	return letterOf(f)
}

// Benchmark12KB composes one letter of 12 KB for one recipient, as a delivery worker does: gomail's encoding included.
func Benchmark12KB(b *testing.B) {
	n := letter12KB()
	c, err := New(testMail)
	if err != nil {
		b.Fatal(err)
	}
	var m Message
	b.ReportAllocs()
	for b.Loop() {
		if m, err = c.Compose(n, 0); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(m.HTML)), "HTML-bytes")
	b.ReportMetric(float64(len(m.Bytes)), "mail-bytes")
}

// Benchmark12KBCopies composes the letter for its reader and for the one who gets a copy.
func Benchmark12KBCopies(b *testing.B) {
	n := letter12KB()
	c, err := New(testMail)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := c.All(n); errs[0] != nil || errs[1] != nil {
			b.Fatal(errs)
		}
	}
}
