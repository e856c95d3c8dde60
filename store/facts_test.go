package store

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"duban/jobs/civil"
	"duban/notify/notice"
)

// fullFacts has a list of each kind, an empty one, and texts with all that is escaped.
func fullFacts() notice.Facts {
	item := notice.Item{
		Ref: "laoshan/zf/17/u/m1", Plan: 2, Row: "17", Title: "<b>\"引号\" & \\ 反斜杠</b>\u2028\t", Kind: "milestone", Due: civil.MustParse("2024-09-30"),
		Extended: true, Late: -3, MakeUp: []civil.Date{civil.MustParse("2024-09-29"), 0}, Reminded: []civil.Date{},
	}
	return notice.Facts{
		Jurisdiction: "青岛市崂山区", Date: civil.MustParse("2024-09-26"), Issuer: notice.Issuer{Name: "司法局", Word: "工作提示"},
		Reader: notice.Reader{Code: "u"}, Recipients: []notice.Recipient{{Role: "liaison", Email: "a@b.example"}, {Copy: true}}, Plans: []notice.Plan{},
		Overdue: []notice.Item{item, {}}, Awaiting: []notice.Item{{}}, LateIssue: true, Versions: notice.Versions{Policy: "p"},
	}
}

// onPaper are the facts of a letter whose paper has one of each.
func onPaper() notice.Facts {
	f := fullFacts()
	f.Overdue, f.Awaiting = nil, nil
	table := notice.Table{Columns: []notice.Column{{Name: "序号", Numeric: true}, {Name: "\"", Width: 12.5}}, Rows: [][]notice.Cell{{{N: 1}, {Text: "超期", Tone: notice.Red}}, nil}}
	f.Paper = &notice.Paper{
		Subject: "【区司法局】<督办日报>", Title: "督办日报", Opening: []string{}, Form: []notice.FormRow{{Label: "事由", Tall: true}},
		Sections: []notice.Section{{Heading: "请今日处理", Lines: []string{"一"}, Table: &table}}, Sheets: []notice.Sheet{{Name: "总表", Table: table}},
		Drafts: []notice.Draft{{File: "通报", Paper: notice.Paper{Title: "通报"}}}, Date: civil.MustParse("2024-09-26"),
	}
	return f
}

func TestFactsAreReadAsTheLibraryReadsThem(t *testing.T) {
	of := shapeOf(reflect.TypeFor[notice.Facts]())
	if of == nil {
		t.Fatal("facts hold something this store's own reader cannot read")
	}
	write := func(f notice.Facts) string {
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	full := write(fullFacts())
	for _, c := range []struct {
		name, text string
		own        bool // read without the library's help
	}{
		{"full", full, true},
		{"empty", write(notice.Facts{}), true},
		{"on paper", write(onPaper()), true},
		{"an empty paper", `{"jurisdiction":"x","paper":{"subject":"","title":"","date":""},"late_issue":true}`, true},
		{"no paper", `{"jurisdiction":"x","paper":null,"late_issue":true}`, true},
		{"a span", `{"jurisdiction":"x","late_for":{"from":"2024-10-01","to":"2024-10-07"}}`, true},
		{"no fraction", `{"paper":{"sheets":[{"columns":[{"name":"","width":01.5}]}]}}`, false},
		{"a paper that is none", `{"paper":1}`, false},
		{"a field left out", `{"jurisdiction":"x"}`, true},
		{"nothing", `{}`, true},
		{"spaces", strings.Replace(full, ",", ", ", 3), false},
		{"another order", `{"date":"2024-09-26","jurisdiction":"x"}`, false},
		{"twice", `{"jurisdiction":"x","jurisdiction":"y"}`, false},
		{"a field of a newer program", `{"jurisdiction":"x","mood":"good"}`, false},
		{"another case", `{"Jurisdiction":"x"}`, false},
		{"null text", `{"jurisdiction":null}`, false},
		{"null", `null`, false},
		{"a fraction", `{"overdue":[{"plan":1.0}]}`, false},
		{"a leading zero", `{"overdue":[{"plan":01}]}`, false},
		{"too large", `{"overdue":[{"plan":99999999999999999999}]}`, false},
		{"no such day", `{"date":"2024-02-30"}`, false},
		{"a bad escape", `{"jurisdiction":"\q"}`, false},
		{"a line break in text", "{\"jurisdiction\":\"\n\"}", false},
		{"cut off", full[:len(full)/2], false},
		{"more behind it", full + "{}", false},
		{"a comma too many", `{"overdue":[{"plan":1},]}`, false},
		{"no text", ``, false},
	} {
		if own := sameFacts(t, of, c.text); own != c.own {
			t.Errorf("%s: read without help: %v, want %v", c.name, own, c.own)
		}
	}
}

// sameFacts compares the two readers and reports whether ours needed no help.
func sameFacts(t *testing.T, of *shape, text string) bool {
	t.Helper()
	var got, want notice.Facts
	gotErr, wantErr := readFacts(of, text, &got), json.Unmarshal([]byte(text), &want)
	if (gotErr == nil) != (wantErr == nil) || gotErr == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n got %+v %v\nwant %+v %v", text, got, gotErr, want, wantErr)
	}
	p := parser{s: text}
	var own notice.Facts
	return p.value(of, reflect.ValueOf(&own).Elem()) && p.i == len(text)
}

func TestTypesOfAnotherShapeAreLeftToTheLibrary(t *testing.T) {
	type inner struct{ X int }
	type Inner struct {
		X int `json:"x"`
	}
	for _, v := range []any{
		struct {
			F *inner `json:"f"`
		}{},
		struct {
			F float32 `json:"f"`
		}{}, struct{ F string }{}, struct {
			inner `json:"inner"`
		}{}, struct{ inner }{}, struct{ *Inner }{}, struct {
			Inner
			X int `json:"x"`
		}{}, struct {
			F int `json:"f,string"`
		}{}, struct {
			F **int `json:"f"`
		}{}, struct {
			F map[string]string `json:"f"`
		}{}, struct {
			F time.Time `json:"f"`
		}{}, struct {
			F json.RawMessage `json:"f"`
		}{},
	} {
		if shapeOf(reflect.TypeOf(v)) != nil {
			t.Errorf("%T is read by ourselves", v)
		}
	}
}

func FuzzReadFacts(f *testing.F) {
	full, err := json.Marshal(fullFacts())
	if err != nil {
		f.Fatal(err)
	}
	paper, err := json.Marshal(onPaper())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(full))
	f.Add(string(paper))
	f.Add(`{"jurisdiction":"\u003c","date":"","recipients":null,"plans":[],"overdue":[{"plan":-0}]}`)
	of := shapeOf(reflect.TypeFor[notice.Facts]())
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) {
			sameFacts(t, of, text)
		}
	})
}
