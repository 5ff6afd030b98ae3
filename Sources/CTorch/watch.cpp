#include "watch.h"

#ifdef USE_C10D_GLOO
using namespace ct;
using std::chrono::duration;

static const duration<double> interval{1.0};
// Silence of a rank whose connection has broken; others may only be busy.
static const duration<double> suspicious_silence{3.0};

static std::string seconds(duration<double> time) {
    std::ostringstream text;
    text << time.count() << " s";
    return text.str();
}

Watch::Watch(StoreHandle connection, Settings all)
    : settings(std::move(all)), store(std::move(connection)), looked(Clock::now()),
      answered(looked.time_since_epoch().count()), peers(settings.size) {
    for (auto &peer : peers) peer.changed = Clock::now();
    try {
        asking = std::thread([this] { ask(); });
        guarding = std::thread([this] { guard_store(); });
    } catch (const std::system_error &) {
        stop();
        throw NoThread();
    }
}

void Watch::quiet() {
    std::unique_lock lock(mutex);
    stopping = true;
    changed.notify_all();
}

void Watch::stop() {
    quiet();
    for (auto thread : {&asking, &guarding}) {
        if (thread->joinable() && thread->get_id() != std::this_thread::get_id()) thread->join();
    }
}

// False when there is nothing more to do.
bool Watch::sleep(duration<double> time) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, time, [&] { return stopping || !line.empty(); });
    return !stopping && line.empty();
}

void Watch::ask() {
    while (sleep(turn())) {
        try {
            look();
        } catch (const std::exception &) {
            std::unique_lock lock(mutex);
            if (stopping) return;
            lock.unlock();
            return lose(settings.keeper + " is gone");
        }
        answered = Clock::now().time_since_epoch().count();
    }
}

duration<double> Watch::turn() const { return std::min(interval, settings.timeout / 8); }

// Whether a turn that began then took far too long: a process that was stopped itself must not blame others for what
// it has not heard.
bool Watch::was_stopped_since(Clock::time_point begin) const { return Clock::now() - begin > settings.timeout / 2; }

void Watch::guard_store() {
    for (auto begin = Clock::now(); sleep(turn()); begin = Clock::now()) {
        if (was_stopped_since(begin)) answered = Clock::now().time_since_epoch().count();
        auto silence = Clock::now() - Clock::time_point(Clock::duration(answered.load()));
        if (silence > settings.timeout) {
            return lose(settings.keeper + " does not answer for " + seconds(settings.timeout) +
                        ": it hangs, or the network is cut");
        }
    }
}

void Watch::look() {
    auto now = std::to_string(Clock::now().time_since_epoch().count());
    store->set(beat_key(settings.rank), std::to_string(entered.load()) + " " + now);
    std::vector<std::string> keys;
    for (int rank = 0; rank < settings.size; rank++) {
        keys.push_back(beat_key(rank));
        keys.push_back(end_key(rank));
    }
    auto values = store->multiGet(keys);
    std::string found;
    {
        std::unique_lock lock(mutex);
        if (was_stopped_since(looked)) {
            for (auto &peer : peers) peer.changed = Clock::now();
        }
        looked = Clock::now();
        for (int rank = 0; rank < settings.size; rank++) {
            if (rank == settings.rank) continue;
            auto &peer = peers[rank];
            std::string beat(values[2 * rank].begin(), values[2 * rank].end());
            std::string end(values[2 * rank + 1].begin(), values[2 * rank + 1].end());
            if (end.rfind("!", 0) == 0) {
                found = settings.names[rank] + " ended: " + end.substr(1, 1000);
                break;
            }
            peer.done = end == "+";
            if (beat != peer.beat) peer.beat = beat, peer.changed = Clock::now();
            auto limit = suspicious ? std::min(suspicious_silence, settings.timeout) : settings.timeout;
            auto silence = Clock::now() - peer.changed;
            if (!peer.done && silence > limit) found = settings.names[rank] + " is not heard of for " + seconds(limit);
        }
    }
    if (!found.empty()) lose(found);
}

void Watch::lose(const std::string &text) {
    {
        std::unique_lock lock(mutex);
        if (!line.empty() || stopping) return;
        line = text;
        changed.notify_all();
    }
    if (settings.lost) settings.lost(text.c_str());
}

std::string Watch::slowest() {
    int64_t least = entered.load();
    std::string name;
    for (int rank = 0; rank < settings.size; rank++) {
        if (rank == settings.rank) continue;
        auto count = std::strtoll(peers[rank].beat.c_str(), nullptr, 10);
        if (count < least) least = count, name = settings.names[rank];
    }
    return name;
}

void Watch::explain(const std::string &reason) {
    suspicious = true;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, suspicious_silence + 4 * interval, [&] { return stopping || !line.empty(); });
    auto text = line;
    if (text.empty()) {
        auto name = slowest();
        text = name.empty() ? "the connection between the ranks is lost: " + reason
                            : name + " takes no part for " + seconds(settings.patience) + ": it hangs";
    }
    lock.unlock();
    throw PeerLost(text);
}
#endif
