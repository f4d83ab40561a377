// Package vexobj is the official Go client of VexObj's native API. It needs the standard library
// only.
//
// Object bodies stream both ways; keys are any UTF-8 without NUL, slashes and dots included; every
// call takes a context. Errors of the server are *Error values, which errors.Is compares by code
// with the ones this package names.
package vexobj
