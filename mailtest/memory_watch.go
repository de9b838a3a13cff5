package mailtest

import "context"

// watchers are the wake functions of those who watch a mailbox or a store.
type watchers map[*func()]struct{}

// Watch watches one mailbox, its deletion too.
func (b memoryHandle) Watch(ctx context.Context, wake func()) error {
	return b.view("r", func() { b.watchers.add(b.store.memory, ctx, wake) })
}

// Watch watches all mailboxes, their names, annotations and rights, and the
// subscriptions.
func (s *memoryStore) Watch(ctx context.Context, wake func()) error {
	return s.memory.update(func() error {
		s.watchers.add(s.memory, ctx, wake)
		return nil
	})
}

// add keeps wake until ctx is done. The caller holds m's lock.
func (w *watchers) add(m *Memory, ctx context.Context, wake func()) {
	if *w == nil {
		*w = watchers{}
	}
	f := func() {
		if ctx.Err() == nil {
			wake()
		}
	}
	set := *w
	set[&f] = struct{}{}
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(set, &f)
	})
}

// touch has the watchers of b woken, and of all stores that show it. The caller
// holds the lock through Memory.update.
func (b *memoryMailbox) touch() {
	b.store.memory.wake(b.watchers)
	for _, s := range b.store.memory.stores {
		if s == b.store || len(b.acl) > 1 && b.rights(s.user) != "" {
			s.touch()
		}
	}
}

func (s *memoryStore) touch() { s.memory.wake(s.watchers) }

func (m *Memory) wake(w watchers) {
	for f := range w {
		m.wakes = append(m.wakes, *f)
	}
}
