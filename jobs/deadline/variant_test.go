package deadline

import (
	"strings"
	"testing"
)

// variants spells a cell in the ways ledgers do. What they say is the same.
func variants(cell string) []string {
	wide := strings.Map(func(r rune) rune {
		switch {
		case digit(r):
			return r - '0' + '０'
		case r == '.' || r == '-' || r == '/' || r == ':' || r == ',' || r == '(' || r == ')':
			return r + 0xFEE0
		}
		return r
	}, cell)
	var apart, torn strings.Builder
	runes := []rune(cell)
	for i, r := range runes {
		apart.WriteRune(r)
		torn.WriteRune(r)
		if i+1 < len(runes) && (digit(r) != digit(runes[i+1])) && (strings.ContainsRune("年月日", r) || strings.ContainsRune("年月日", runes[i+1])) {
			apart.WriteByte(' ')
			torn.WriteRune('\u00A0')
		}
	}
	out := []string{wide, apart.String(), torn.String(), " " + cell + "　", cell + "。"}
	if c, ok := inChinese(cell); ok {
		out = append(out, c)
	}
	return out
}

// inChinese writes years, months and days of the cell in Chinese numerals; false where some number is none of these.
func inChinese(cell string) (string, bool) {
	var b strings.Builder
	runes := []rune(cell)
	for i := 0; i < len(runes); i++ {
		if !digit(runes[i]) {
			b.WriteRune(runes[i])
			continue
		}
		n, e, ok := number(runes, i)
		if !ok || e == len(runes) || !strings.ContainsRune("年月日次", runes[e]) || runes[i] == '0' {
			return "", false
		}
		switch {
		case e-i == 4:
			for _, r := range runes[i:e] {
				b.WriteRune([]rune("〇一二三四五六七八九")[r-'0'])
			}
		case n < 100:
			b.WriteString(small(n))
		default:
			return "", false
		}
		i = e - 1
	}
	return b.String(), true
}

func small(n int) string {
	d := []rune("〇一二三四五六七八九")
	s := ""
	if n >= 20 {
		s += string(d[n/10])
	}
	if n >= 10 {
		s += "十"
	}
	if n%10 > 0 {
		s += string(d[n%10])
	}
	return s
}

// TestSpellingsReadTheSame: a reading that is certain does not depend on width, blanks or the script of numbers. A
// variant may be refused, where a blank or a numeral makes it doubtful, but never read as another date.
func TestSpellingsReadTheSame(t *testing.T) {
	read, refused := 0, 0
	for _, cell := range certain() {
		want := Parse(cell, issue)
		if !want.Understood || want.Ambiguous {
			t.Fatalf("%q is not certain: %s", cell, brief(want))
		}
		for _, v := range variants(cell) {
			got := Parse(v, issue)
			checkSound(t, got, v)
			if !got.Understood {
				refused++
				t.Logf("refused: %q (%s)", v, got.Reason)
				continue
			}
			read++
			if dates(got) != dates(want) {
				t.Errorf("%q reads %s, but %q reads %s", cell, brief(want), v, brief(got))
			}
		}
	}
	if refused*50 > read {
		t.Errorf("%d variants refused, %d read: normalising loses too much", refused, read)
	}
}

// dates is the reading without the words, whose numbers may be spelled otherwise.
func dates(r Reading) string {
	for i := range r.Milestones {
		r.Milestones[i].Text = ""
	}
	if r.Condition != nil {
		c := *r.Condition
		c.Event = "…"
		r.Condition = &c
	}
	return brief(r)
}

// certain lists cells of every shape the tables hold.
func certain() []string {
	var out []string
	for _, y := range []string{"2024年", "2025年"} {
		for _, p := range []string{"", "度", "内", "底前", "末", "上半年", "下半年", "第一季度", "第3季度末", "3月", "6月底", "6月底前", "9月上旬",
			"10月中旬", "11月下旬", "12月31日", "12月31日前", "7月15日之前", "11月30日以前", "1月至6月", "10月底前完成"} {
			out = append(out, y+p, y+p+"，长期坚持")
		}
	}
	return append(out, "每年", "每年12月底前", "每年1月15日、7月15日", "每年3月31日前", "每半年", "每季度", "每季度末", "每季度首月10日前", "每月",
		"每月底", "每月25日前", "每月10日和25日", "每周五", "每年不少于12次", "每季度至少1次", "每季度开展一次", "1月15日和7月15日前",
		"机构改革完成后6个月内", "收到通知之日起15个工作日内", "作出决定之日起7日内", "根据上级部署", "长期坚持", "力争2024年底前", "原则上2024年6月底前",
		"2022年12月底前取得阶段性成果，2023年12月底前完成", "2024年6月底前完成清单编制，9月底前完成整改", "9月底前", "12月31日前", "年底前", "年内",
		"2024.6.30", "2024-06-30", "2024/6/30", "2024年11月底前并长期坚持")
}
