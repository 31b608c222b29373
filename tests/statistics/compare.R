# Compares the lab's statistics with R's own on sets of several sizes, with and without ties.
# Usage: Rscript compare.R STATISTICS_TOOL
tool <- commandArgs(trailingOnly = TRUE)[1]

expected <- function(a, b) {
  s <- sort(a)
  n <- length(a)
  k <- qbinom(0.025, n, 0.5)
  if (pbinom(k - 1, n, 0.5) > 0.025) k <- k - 1
  log_median_error <- function(y) {
    y <- sort(y)
    m <- length(y)
    o <- max(1, round(m / 2 - sqrt(m)))
    (log(y[m - o + 1]) - log(y[o])) / (2 * qnorm(1 - pbinom(o - 1, m, 0.5)))
  }
  deviation <- mad(a, constant = 1)
  unit <- if (deviation > 0) deviation / 0.6745 else mean(abs(a - median(a))) * 1.253314
  parts <- c(var(a) / (length(a) * mean(a)^2), var(b) / (length(b) * mean(b)^2))
  df <- sum(parts)^2 / sum(parts^2 / (c(length(a), length(b)) - 1))
  median_reach <- qnorm(0.975) * sqrt(log_median_error(a)^2 + log_median_error(b)^2)
  mean_reach <- qt(0.975, df) * sqrt(sum(parts))
  test <- suppressWarnings(wilcox.test(a, b))
  c(mean = mean(a), sd = sd(a), p50 = quantile(a, 0.5), p90 = quantile(a, 0.9),
    p95 = quantile(a, 0.95), p99 = quantile(a, 0.99),
    mean_ci.low = t.test(a)$conf.int[1], mean_ci.high = t.test(a)$conf.int[2],
    median_ci.low = s[k], median_ci.high = s[n + 1 - k],
    outliers = sum(abs(a - median(a)) / unit > 3.5),
    u = test$statistic, p = test$p.value,
    median_ratio.low = median(a) / median(b) * exp(-median_reach),
    median_ratio.high = median(a) / median(b) * exp(median_reach),
    mean_ratio.low = mean(a) / mean(b) * exp(-mean_reach),
    mean_ratio.high = mean(a) / mean(b) * exp(mean_reach))
}

check <- function(a, b, what) {
  line <- function(x) paste(sprintf("%.17g", x), collapse = " ")
  out <- system2(tool, input = c(line(a), line(b)), stdout = TRUE)
  fields <- strsplit(out, " ")
  got <- setNames(as.numeric(sapply(fields, `[`, 2)), sapply(fields, `[`, 1))
  want <- expected(a, b)
  names(want) <- sub("\\.(50|90|95|99)%$|\\.W$", "", names(want))
  if (!setequal(names(got), names(want))) stop(what, ": figures ", setdiff(names(want), names(got)))
  off <- abs(got - want[names(got)]) > 1e-9 * pmax(1, abs(want[names(got)]))
  if (any(off)) {
    for (name in names(got)[off]) cat(what, name, "got", got[name], "expected", want[name], "\n")
    quit(status = 1)
  }
}

set.seed(20261124)
for (n in c(6, 7, 12, 20, 49, 50, 51, 200, 1000)) {
  a <- rlnorm(n, 0, 0.5)
  b <- rlnorm(n + 3, 0.2, 0.6)
  check(a, b, paste(n, "without ties"))
  check(round(a, 1) + 0.1, round(b, 1) + 0.1, paste(n, "with ties"))
  check(c(a, 40), b, paste(n, "with an outlier"))
}
cat("the lab agrees with R on", 27, "pairs of sets\n")
