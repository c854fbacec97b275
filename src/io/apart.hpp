// Work of a library that may crash, in a process of its own. Local.
#pragma once

#include "hpot/io/hdf5_file.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hpot {

/// What such work finds.
struct Answer {
  Array array;
  std::vector<std::string> texts;
};

/// A child of this process, made at the first request and ended with this object, that answers one request after the other:
/// with what `work` returns, with its InputError, or with one that says that `where` is damaged when the child crashes. The
/// child ends without flushing or finalising anything; `work` neither communicates nor uses a device. Within `work`, and
/// where no process can be made, it runs in the process that asks.
class Apart {
 public:
  using Work = std::function<Answer(const std::string& request)>;

  Apart(std::string where, Work work);
  ~Apart();
  Apart(const Apart&) = delete;
  Apart& operator=(const Apart&) = delete;

  Answer operator()(const std::string& request);

 private:
  void begin();
  void receive_all(void* data, std::size_t bytes) const;
  [[nodiscard]] std::string receive_text(std::size_t bytes) const;

  std::string where_;
  Work work_;
  int child_ = -1;
  int socket_ = -1;  // to the child; closed, the child ends
};

/// One request.
Array read_apart(const std::string& where, const std::function<Array()>& work);

}  // namespace hpot
