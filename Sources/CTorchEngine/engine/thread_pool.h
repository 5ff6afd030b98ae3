// A thread pool for independent jobs. Its threads use one thread each inside libtorch operations.
#pragma once

#include "engine/guard.h"

#include <ATen/Parallel.h>
#include <condition_variable>
#include <deque>
#include <dlfcn.h>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace ct {

class ThreadPool {
  public:
    static ThreadPool &shared() {
        // Never destroyed: its threads may still wait when the process ends.
        static auto *pool = new ThreadPool();
        return *pool;
    }

    // Runs all jobs, at most `width` at a time, and returns when they are done. The first failure, by position, is
    // thrown again here. Jobs begun inside a job run in its thread; with a width of 0 all run in the caller's.
    void run(std::vector<std::function<void()>> jobs, int width) {
        std::vector<std::exception_ptr> failures(jobs.size());
        if (inside() || width == 0 || jobs.empty()) {
            for (auto &job : jobs) job();
            return;
        }
        auto threads = have_threads(std::min(static_cast<size_t>(std::max(width, 1)), jobs.size()));
        size_t next = 0, leaving = threads;
        std::mutex own;
        std::condition_variable finished;
        auto work = [&] {
            std::unique_lock lock(own);
            while (next < jobs.size()) {
                auto index = next++;
                lock.unlock();
                try {
                    jobs[index]();
                } catch (...) {
                    failures[index] = std::current_exception();
                }
                lock.lock();
            }
            if (--leaving == 0) finished.notify_one();
        };
        for (size_t i = 0; i < threads; i++) post(work);
        {
            std::unique_lock lock(own);
            finished.wait(lock, [&] { return leaving == 0; });
        }
        for (auto &failure : failures) {
            if (failure) std::rethrow_exception(failure);
        }
    }

    // How many threads there are: as many as the widest run so far has asked for.
    size_t size() {
        std::unique_lock lock(mutex);
        return started;
    }

  private:
    std::mutex mutex;
    std::condition_variable ready;
    std::deque<std::function<void()>> queue;
    size_t started = 0;

    static bool &inside() {
        static thread_local bool value = false;
        return value;
    }

    // Starts threads until so many are there; fewer, but one at least, where the system gives no more. Before any job
    // is queued: what a job works on is gone when `run` has thrown.
    size_t have_threads(size_t wanted) {
        std::unique_lock lock(mutex);
        for (; started < wanted; started++) {
            try {
                std::thread([this] { loop(); }).detach();
            } catch (const std::system_error &) {
                if (started == 0) throw NoThread();
                break;
            }
        }
        return std::min(wanted, started);
    }

    void post(std::function<void()> job) {
        std::unique_lock lock(mutex);
        queue.push_back(std::move(job));
        ready.notify_one();
    }

    // One thread inside operations, whatever the process has: sums must not depend on what was set when a worker began.
    // The engine's own call would change the setting of the process, so the libraries below it are asked, after the
    // engine has taken up its setting for this thread.
    static void compute_alone() {
        at::get_num_threads();
        for (auto name : {"omp_set_num_threads", "MKL_Set_Num_Threads_Local"}) {
            auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, name));
            if (set) set(1);
        }
    }

    void loop() {
        inside() = true;
        compute_alone();
        std::unique_lock lock(mutex);
        while (true) {
            ready.wait(lock, [&] { return !queue.empty(); });
            auto job = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            job();
            job = nullptr;
            lock.lock();
        }
    }
};

} // namespace ct
