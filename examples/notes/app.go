package main

import (
	"sync"
	"time"
)

// App is an app that keeps notes: messages under random numbers of 64 bits, which
// the user may edit. As a mailparts.Backend it shows each user an INBOX with them.
type App struct {
	mu    sync.Mutex
	notes map[key]note
	users map[string]*inbox
}

// NewApp returns an app without notes.
func NewApp(users ...string) *App {
	a := &App{notes: map[key]note{}, users: map[string]*inbox{}}
	for _, user := range users {
		a.users[user] = &inbox{app: a, user: user, validity: uint32(time.Now().Unix()), next: 1}
	}
	return a
}

type key struct {
	user string
	id   uint64
}

type note struct {
	text    string // a message with CRLF line ends
	version int
}

// Edit changes a note, or makes it.
func (a *App) Edit(user string, id uint64, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put(key{user, id}, text)
}

func (a *App) put(k key, text string) { a.notes[k] = note{text, a.notes[k].version + 1} }

func (a *App) remove(k key) bool {
	delete(a.notes, k)
	return true
}
