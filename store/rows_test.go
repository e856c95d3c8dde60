package store

import (
	"reflect"
	"testing"
)

// What a row says it is read into has to be its fields, in the order in which its columns are asked for.
func TestRowsAreReadIntoTheirOwnColumns(t *testing.T) {
	for _, r := range []placed{
		&factRow{}, &eventRow{}, &stepRow{}, &noticeRow{}, &unitRow{}, &aliasRow{}, &memberRow{}, &contactRow{},
	} {
		v, dest := reflect.ValueOf(r).Elem(), r.dest()
		if v.NumField() != len(dest) {
			t.Errorf("%T has %d columns and reads %d", r, v.NumField(), len(dest))
			continue
		}
		for i, to := range dest {
			if reflect.ValueOf(to).Pointer() != v.Field(i).Addr().Pointer() {
				t.Errorf("%T reads column %d into another field than %s", r, i+1, v.Type().Field(i).Name)
			}
		}
	}
}
