# Robust standard errors and enumerated Freedman-Lane permutations; written to values.csv beside this script.
#   Rscript make_reference.R   (R 4.2.2, clubSandwich 0.5.8, sandwich 3.0.2, all from Debian 12)
suppressMessages({library(clubSandwich); library(sandwich)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
setwd(here)
places <- read.csv("covariates.csv", check.names = FALSE)
long <- read.csv("../../../data/kazakhstan-2022/table1.csv")
places$x <- as.numeric(scale(log(1e4 * places$rd_personnel_2022 / places$population_2022)))
places$g <- log(places$grp_2020_million_tenge / places$population_2020)
long <- merge(long, places, by = "region")
long$y <- log1p(long$lq)
services <- c("programming", "computer", "information", "research", "professional")
found <- data.frame(name = character(), value = numeric())
put <- function(name, value) found[nrow(found) + 1, ] <<- list(name, value)

panel <- function(rows, name) {
  fit <- lm(y ~ sector + x, rows)
  put(paste(name, "slope"), coef(fit)["x"])
  for (kind in c("CR1S", "CR2", "CR3"))
    put(paste(name, kind), sqrt(vcovCR(fit, rows$region, kind)["x", "x"]))
  test <- coef_test(fit, vcovCR(fit, rows$region, "CR2"), coefs = "x")
  put(paste(name, "df"), test$df_Satt)
  put(paste(name, "p"), test$p_Satt)
}
panel(long, "all")
panel(long[long$sector %in% services, ], "services")

# One region is a cluster; with and without a control.
for (sector in sort(unique(long$sector))) {
  rows <- long[long$sector == sector, ]
  for (model in c("y ~ x", "y ~ x + g")) {
    fit <- lm(as.formula(model), rows)
    test <- coef_test(fit, vcovCR(fit, rows$region, "CR2"), coefs = "x")
    name <- paste(sector, model)
    put(paste(name, "slope"), coef(fit)["x"])
    put(paste(name, "CR2"), test$SE)
    put(paste(name, "df"), test$df_Satt)
    put(paste(name, "p"), test$p_Satt)
  }
}
fit <- lm(y ~ x, long[long$sector == "computer", ])
for (kind in paste0("HC", 0:4)) put(paste("computer", kind), sqrt(vcovHC(fit, kind)["x", "x"]))

# All orders of seven regions, each fitted anew.
seven <- c("Almaty City", "Nur-Sultan", "Shymkent", "Karaganda", "East Kazakhstan", "Pavlodar", "Atyrau")
rows <- long[long$sector == "computer" & long$region %in% seven, ]
orders <- function(v) if (length(v) < 2) list(v) else
  do.call(c, lapply(seq_along(v), function(i) lapply(orders(v[-i]), function(rest) c(v[i], rest))))
every <- orders(1:7)
t_of <- function(y, model) summary(lm(update(model, y ~ .), cbind(rows[c("x", "g")], y = y)))$coefficients["x", 3]
for (reduced in list(y ~ 1, y ~ g)) {
  null <- lm(reduced, rows)
  full <- update(reduced, . ~ . + x)
  observed <- t_of(rows$y, full)
  drawn <- sapply(every, function(o) t_of(fitted(null) + resid(null)[o], full))
  name <- paste("seven", paste(deparse(full), collapse = ""))
  put(paste(name, "t"), observed)
  put(paste(name, "extreme"), sum(abs(drawn) >= abs(observed) - 1e-9))
  put(paste(name, "greater"), sum(drawn >= observed - 1e-9))
}
put("seven r", cor(rows$y, rows$x))
found$value <- sprintf("%.10g", found$value)
write.csv(found, "values.csv", row.names = FALSE, quote = FALSE)
