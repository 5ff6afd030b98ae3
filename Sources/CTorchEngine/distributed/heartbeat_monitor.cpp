#include "distributed/heartbeat_monitor.h"

#ifdef USE_C10D_GLOO
using namespace ct;
using std::chrono::duration;

static const duration<double> interval{1.0};
// Allowed silence of a rank once a connection has broken; without that it may only be busy.
static const duration<double> suspicious_silence{3.0};

static std::string seconds(duration<double> time) {
    std::ostringstream text;
    text << time.count() << " s";
    return text.str();
}

HeartbeatMonitor::HeartbeatMonitor(StoreHandle connection, Settings all)
    : settings(std::move(all)), store(std::move(connection)), last_poll(Clock::now()),
      last_answer(last_poll.time_since_epoch().count()), peers(settings.size) {
    for (auto &peer : peers) peer.changed = Clock::now();
    try {
        polling = std::thread([this] { poll_repeatedly(); });
        checking = std::thread([this] { check_store(); });
    } catch (const std::system_error &) {
        stop();
        throw NoThread();
    }
}

void HeartbeatMonitor::mute() {
    std::unique_lock lock(mutex);
    stopping = true;
    changed.notify_all();
}

void HeartbeatMonitor::stop() {
    mute();
    for (auto thread : {&polling, &checking}) {
        if (thread->joinable() && thread->get_id() != std::this_thread::get_id()) thread->join();
    }
}

// Returns false when there is nothing more to do.
bool HeartbeatMonitor::sleep(duration<double> time) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, time, [&] { return stopping || !line.empty(); });
    return !stopping && line.empty();
}

void HeartbeatMonitor::poll_repeatedly() {
    while (sleep(period())) {
        try {
            poll();
        } catch (const std::exception &) {
            std::unique_lock lock(mutex);
            if (stopping) return;
            lock.unlock();
            return report_lost(settings.store_owner + " is gone");
        }
        last_answer = Clock::now().time_since_epoch().count();
    }
}

duration<double> HeartbeatMonitor::period() const { return std::min(interval, settings.heartbeat_timeout / 8); }

// Whether a period that began then took far too long: a process that was stopped itself must not blame others for
// heartbeats that it has missed.
bool HeartbeatMonitor::was_stopped_since(Clock::time_point begin) const {
    return Clock::now() - begin > settings.heartbeat_timeout / 2;
}

void HeartbeatMonitor::check_store() {
    for (auto begin = Clock::now(); sleep(period()); begin = Clock::now()) {
        if (was_stopped_since(begin)) last_answer = Clock::now().time_since_epoch().count();
        auto silence = Clock::now() - Clock::time_point(Clock::duration(last_answer.load()));
        if (silence > settings.heartbeat_timeout) {
            return report_lost(settings.store_owner + " does not answer for " + seconds(settings.heartbeat_timeout) +
                               ": it hangs, or the network is cut");
        }
    }
}

void HeartbeatMonitor::poll() {
    auto now = std::to_string(Clock::now().time_since_epoch().count());
    store->set(heartbeat_key(settings.rank), std::to_string(collectives.load()) + " " + now);
    std::vector<std::string> keys;
    for (int rank = 0; rank < settings.size; rank++) {
        keys.push_back(heartbeat_key(rank));
        keys.push_back(end_key(rank));
    }
    auto values = store->multiGet(keys);
    std::string found;
    {
        std::unique_lock lock(mutex);
        if (was_stopped_since(last_poll)) {
            for (auto &peer : peers) peer.changed = Clock::now();
        }
        last_poll = Clock::now();
        for (int rank = 0; rank < settings.size; rank++) {
            if (rank == settings.rank) continue;
            auto &peer = peers[rank];
            std::string heartbeat(values[2 * rank].begin(), values[2 * rank].end());
            std::string end(values[2 * rank + 1].begin(), values[2 * rank + 1].end());
            if (end.rfind("!", 0) == 0) {
                found = settings.names[rank] + " ended: " + end.substr(1, 1000);
                break;
            }
            peer.done = end == "+";
            if (heartbeat != peer.heartbeat) peer.heartbeat = heartbeat, peer.changed = Clock::now();
            auto limit =
                suspicious ? std::min(suspicious_silence, settings.heartbeat_timeout) : settings.heartbeat_timeout;
            auto silence = Clock::now() - peer.changed;
            if (!peer.done && silence > limit) found = settings.names[rank] + " is not heard of for " + seconds(limit);
        }
    }
    if (!found.empty()) report_lost(found);
}

void HeartbeatMonitor::report_lost(const std::string &text) {
    {
        std::unique_lock lock(mutex);
        if (!line.empty() || stopping) return;
        line = text;
        changed.notify_all();
    }
    if (settings.lost) settings.lost(text.c_str());
}

std::string HeartbeatMonitor::slowest() {
    int64_t least = collectives.load();
    std::string name;
    for (int rank = 0; rank < settings.size; rank++) {
        if (rank == settings.rank) continue;
        auto count = std::strtoll(peers[rank].heartbeat.c_str(), nullptr, 10);
        if (count < least) least = count, name = settings.names[rank];
    }
    return name;
}

void HeartbeatMonitor::throw_peer_lost(const std::string &reason) {
    suspicious = true;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, suspicious_silence + 4 * interval, [&] { return stopping || !line.empty(); });
    auto text = line;
    if (text.empty()) {
        auto name = slowest();
        text = name.empty() ? "the connection between the ranks is lost: " + reason
                            : name + " takes no part for " + seconds(settings.timeout) + ": it hangs";
    }
    lock.unlock();
    throw PeerLost(text);
}
#endif
