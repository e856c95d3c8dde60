package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"duban/jobs/civil"
	"duban/notify/notice"
)

var day0 = civil.MustParse("2024-09-14")

// awkward is text that engines treat differently when told wrongly: outside the basic plane, quotes, a backslash, a
// colon and question mark, letter case, trailing spaces.
const awkward = "㐀𠮷😀 Aa'\"\\:?%; "

// fill sets every exported field to something that is not its zero value and differs from its neighbours, so that a
// field the store forgets shows up.
func fill(t *testing.T, v any) {
	t.Helper()
	n := 0
	fillValue(t, reflect.ValueOf(v).Elem(), &n)
}

func fillValue(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Interface().(type) {
	case notice.Draft: // holds a paper, which may hold drafts
		v.Set(reflect.ValueOf(notice.Draft{File: awkward, Paper: notice.Paper{Title: fmt.Sprint(*n, awkward), Date: day0}}))
		return
	case civil.Date:
		v.SetInt(int64(day0) + int64(*n))
		return
	case time.Duration:
		v.SetInt(int64(*n) * int64(time.Millisecond))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2024, 9, 14, 1, 2, 3, *n*int(time.Millisecond), time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%d%s", *n, awkward))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fillValue(t, key, n)
			fillValue(t, elem, n)
			v.SetMapIndex(key, elem)
		}
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillValue(t, v.Index(0), n)
		fillValue(t, v.Index(1), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(t, v.Field(i), n)
		}
	default:
		t.Fatalf("fill: a %v is not known; teach it here", v.Type())
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n got %+v\nwant %+v", what, got, want)
	}
}
