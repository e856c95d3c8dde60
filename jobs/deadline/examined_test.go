package deadline

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"duban/jobs/civil"
)

// TestExaminedCells reads the cells of testdata/cells.tsv, written as plans, task tables and rectification ledgers
// write them, with the reading an official would give (or "refused"). The issue date is 2024-03-15.
func TestExaminedCells(t *testing.T) {
	f, err := os.Open("testdata/cells.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	issued := civil.MustParse("2024-03-15")
	n := 0
	sc := bufio.NewScanner(f)
	for line := 1; sc.Scan(); line++ {
		cell, want, ok := strings.Cut(sc.Text(), "\t")
		if !ok {
			t.Fatalf("line %d has no reading: %q", line, sc.Text())
		}
		cell = strings.ReplaceAll(cell, `\n`, "\n")
		r := Parse(cell, issued)
		checkSound(t, r, cell)
		if got := brief(r); got != want {
			t.Errorf("line %d: Parse(%q)\n got %s %s\nwant %s", line, cell, got, r.Reason, want)
		}
		n++
	}
	if err := sc.Err(); err != nil || n < 800 {
		t.Fatalf("read %d cells: %v", n, err)
	}
}

// A wider reading: what ledgers use in one sense only.
func TestUsageOfLedgers(t *testing.T) {
	readRows(t, []row{
		{"启动阶段（2024年7月）", "2024-07-31 启动阶段"},
		{"2024年每季度末", "quarter end from 2024-01-01 until 2024-12-31 → 2024-06-30"},
		{"2024年下半年每月25日前", "month 25 from 2024-07-01 until 2024-12-31 → 2024-07-25"},
		{"2024年8月启动，12月底前完成", "2024-08-31 启动; 2024-12-31 完成"},
		{"全年", "year end → 2024-12-31"},
		{"2024年上半年完成，下半年总结提升", "2024-06-30 完成; 2024-12-31 总结提升"},
		{"2024年上半年启动，年底前完成", "2024-06-30 启动; 2024-12-31 完成"},
		{"全年持续推进", "standing"},
		{"贯穿全年", "standing"},
		{"全年开展", "standing"},
		{"与上级同步", "on 与上级同步"},
		{"按季度推进", "quarter end → 2024-06-30"},
		{"按月", "month end → 2024-06-30"},
		{"逐月", "month end → 2024-06-30"},
		{"年度", "year end → 2024-12-31"},
		{"2024年6月底前报送，之后每季度末报送一次", "2024-06-30 报送; quarter end from 2024-07-01 → 2024-09-30"},
		{"2024年底前，每季度一次", "ambiguous 2024-12-31; quarter end → 2024-06-30"},
		{"2024年6月—长期", "standing"},
		{"2024年8月起，每月25日前", "month 25 from 2024-08-01 → 2024-08-25"},
		{"2024年6月底前完成一期，2025年6月底前完成二期", "2024-06-30 完成一期; 2025-06-30 完成二期"},
		{"24年6月底前", "2024-06-30"},
		{"2024年12月底前/长期坚持", "2024-12-31; standing"},
		{"2024年12月底前持续推进", "ambiguous 2024-12-31 持续推进; standing"},
		{"2024年持续推进", "2024-12-31 持续推进; standing"},
		{"2024年6月底前首次报送，此后每季度报送", "2024-06-30 首次报送; quarter end from 2024-07-01 → 2024-09-30"},
		{"2023年底前完成、2024年持续巩固", "2023-12-31 完成; 2024-12-31 持续巩固; standing"},
		{"2023年启动，2025年完成", "2023-12-31 启动; 2025-12-31 完成"},
		{"2023年全面启动，2024年取得突破，2025年完成", "2023-12-31 全面启动; 2024-12-31 取得突破; 2025-12-31 完成"},
		{"2023年-2025年，每年12月底前", "year 12-31 from 2023-01-01 until 2025-12-31 → 2024-12-31"},
		{"2024年—2026年持续推进", "2026-12-31 持续推进; standing"},
		{"十四五期间", "2025-12-31"},
		{"“十四五”末", "2025-12-31"},
		{"日常", "standing"},
		{"日常工作", "standing"},
		{"2024年6月底前完成试点，2025年全面推开", "2024-06-30 完成试点; 2025-12-31 全面推开"},
		{"2024年试点，2025年全面推开", "2024-12-31 试点; 2025-12-31 全面推开"},
		{"2024年6月底前，每年更新", "ambiguous 2024-06-30; year end → 2024-12-31"},
		{"2024年底前建成，2025年投入使用", "2024-12-31 建成; 2025-12-31 投入使用"},
		{"2024年9月上旬启动，10月底前完成", "2024-09-10 启动; 2024-10-31 完成"},
		{"2024—2025年", "2025-12-31"},
		{"2024年-2025年", "2025-12-31"},
	})
}
