#include "apart.hpp"

#include "hpot/core/error.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cfenv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace hpot {
namespace {

bool in_child = false;

enum class Outcome : std::uint64_t { answer = 1, input_error, out_of_memory, internal_error };

/// What comes first: then follow `axes` and `values` numbers, and `texts` sizes with a text after each.
struct Head {
  Outcome outcome = Outcome::answer;
  std::uint64_t axes = 0;
  std::uint64_t values = 0;
  std::uint64_t texts = 0;
};

/// False when the other end is closed; no SIGPIPE.
bool send_all(int socket, const void* data, std::size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = send(socket, at, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
  return true;
}

/// False when the other end closed before all had come.
bool receive(int socket, void* data, std::size_t bytes) {
  char* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t got = read(socket, at, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send_text(int socket, const std::string& text) {
  const std::uint64_t bytes = text.size();
  return send_all(socket, &bytes, sizeof bytes) && send_all(socket, text.data(), text.size());
}

void send_failure(int socket, Outcome outcome, const std::string& text) {
  const Head head{outcome, 0, 0, 1};
  send_all(socket, &head, sizeof head);
  send_text(socket, text);
}

void send_answer(int socket, const Answer& answer) {
  const auto& [array, texts] = answer;
  const Head head{Outcome::answer, array.shape.size(), array.values.size(), texts.size()};
  send_all(socket, &head, sizeof head);
  send_all(socket, array.shape.data(), array.shape.size() * sizeof(Index));
  send_all(socket, array.values.data(), array.values.size() * sizeof(Real));
  for (const std::string& text : texts) send_text(socket, text);
}

/// No handler of MPI's or of a test's has a say in how the child crashes, and it leaves no core file.
void expect_crashes() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(signal, SIG_DFL);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  std::fenv_t environment;
  std::feholdexcept(&environment);
}

void serve(int socket, const std::string& request, const Apart::Work& work) {
  try {
    send_answer(socket, work(request));
  } catch (const InputError& error) {
    send_failure(socket, Outcome::input_error, error.what());
  } catch (const std::bad_alloc&) {
    send_failure(socket, Outcome::out_of_memory, {});
  } catch (const std::exception& error) {
    send_failure(socket, Outcome::internal_error, error.what());
  }
}

[[noreturn]] void run_child(int socket, const Apart::Work& work) {
  in_child = true;
  expect_crashes();
  std::uint64_t bytes = 0;
  while (receive(socket, &bytes, sizeof bytes)) {
    std::string request(bytes, '\0');
    if (!receive(socket, request.data(), bytes)) break;
    serve(socket, request, work);
  }
  _exit(0);
}

}  // namespace

Apart::Apart(std::string where, Work work) : where_(std::move(where)), work_(std::move(work)) {}

Apart::~Apart() {
  if (socket_ >= 0) close(socket_);
  while (child_ > 0 && waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Apart::begin() {
  std::array<int, 2> ends{-1, -1};
  if (in_child || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
  child_ = fork();
  if (child_ == 0) {
    close(ends[0]);
    run_child(ends[1], work_);
  }
  close(ends[1]);
  if (child_ > 0) {
    socket_ = ends[0];
  } else {
    close(ends[0]);
  }
}

void Apart::receive_all(void* data, std::size_t bytes) const {
  require(receive(socket_, data, bytes), where_, "damaged: the library that reads such files crashes at it",
          "get the file anew, or write it again");
}

std::string Apart::receive_text(std::size_t bytes) const {
  std::string text(bytes, '\0');
  receive_all(text.data(), text.size());
  return text;
}

Answer Apart::operator()(const std::string& request) {
  if (socket_ < 0) begin();
  if (socket_ < 0) return work_(request);

  send_text(socket_, request);  // a child that is gone is noticed below
  Head head;
  receive_all(&head, sizeof head);
  Answer answer{{std::vector<Index>(head.axes), std::vector<Real>(head.values)}, {}};
  receive_all(answer.array.shape.data(), answer.array.shape.size() * sizeof(Index));
  receive_all(answer.array.values.data(), answer.array.values.size() * sizeof(Real));
  for (std::uint64_t n = 0; n < head.texts; ++n) {
    std::uint64_t bytes = 0;
    receive_all(&bytes, sizeof bytes);
    answer.texts.push_back(receive_text(bytes));
  }
  switch (head.outcome) {
    case Outcome::answer:
      return answer;
    case Outcome::input_error:
      throw InputError(answer.texts.at(0));
    case Outcome::out_of_memory:
      throw std::bad_alloc();
    case Outcome::internal_error:
      break;
  }
  throw std::runtime_error(answer.texts.at(0));
}

Array read_apart(const std::string& where, const std::function<Array()>& work) {
  return Apart(where, [&](const std::string&) { return Answer{work(), {}}; })({}).array;
}

}  // namespace hpot
